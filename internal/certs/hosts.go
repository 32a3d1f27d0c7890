package certs

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"regexp"
	"slices"
	"strings"
	"time"
)

// hostName is a name as DNS and hosts files have it. The underscore is in no
// host name by the book, but in those of containers.
var hostName = regexp.MustCompile(`^([a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?\.)*[a-z_]([a-z0-9_-]{0,61}[a-z0-9_])?$`)

// checked is the request with its defaults, and its hosts sorted into names and
// addresses. All that is wrong is said at once.
func (r Request) checked() (_ Request, names []string, ips []net.IP, err error) {
	var wrong []error
	if len(r.Hosts) == 0 {
		wrong = append(wrong, errors.New("host: name at least one host, such as --host rpc.gandi.net"))
	}
	for _, host := range r.Hosts {
		if ip, err := netip.ParseAddr(host); err == nil && ip.Zone() == "" {
			if ip := net.IP(ip.Unmap().AsSlice()); !slices.ContainsFunc(ips, ip.Equal) {
				ips = append(ips, ip)
			}
			continue
		}
		name := strings.ToLower(strings.TrimSuffix(host, "."))
		if len(name) > 253 || !hostName.MatchString(name) {
			wrong = append(wrong, fmt.Errorf("host: %q is no host name or IP address, such as rpc.gandi.net: "+
				"leave out scheme, port and path, name each host instead of *, and write xn-- for other letters", host))
			continue
		}
		if !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	if r.Days == 0 {
		r.Days = MostDays
	}
	if r.Days < 1 || r.Days > MostDays {
		wrong = append(wrong, fmt.Errorf("days: %d is not from 1 to %d; clients refuse certificates that last longer", r.Days, MostDays))
	}
	if r.Now.IsZero() {
		r.Now = time.Now()
	}
	r.Now = r.Now.UTC().Truncate(time.Second)
	return r, names, ips, errors.Join(wrong...)
}
