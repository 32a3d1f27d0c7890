package translate

import (
	"context"
	"hash/fnv"
	"slices"
	"strings"

	"v3gate/internal/query"
	"v3gate/internal/xmlrpc"
)

// tldsPerPage is the documented default of items_per_page.
const tldsPerPage = 800

type tldOut struct {
	ID         int64  `v3:"id"`
	Name       string `v3:"name"`
	Phase      string `v3:"phase"`
	Region     string `v3:"region"`
	Visibility string `v3:"visibility"`
}

// regionCodes are the country codes of each part of the world; every other
// extension is generic. v3's own words are not established.
var regionCodes = []struct{ region, codes string }{
	{"africa", "ac ao bf bi bj bw cd cf cg ci cm cv dj dz eg er et ga gh gm gn gq gw io ke km lr ls ly ma mg ml mr mu mw mz na ne ng re rw sc sd sh sl sn so ss st sz td tg tn tz ug yt za zm zw"},
	{"america", "ag ai an ar aw bb bl bm bo bq br bs bz ca cl co cr cu cw dm do ec fk gd gf gl gp gs gt gy hn ht jm kn ky lc mf mq ms mx ni pa pe pm pr py sr sv sx tc tt us uy vc ve vg vi"},
	{"asia", "ae af am az bd bh bn bt cc cn cx cy ge hk id il in iq ir jo jp kg kh kp kr kw kz la lb lk mm mn mo mv my np om ph pk ps qa sa sg sy th tj tl tm tr tw uz vn ye"},
	{"europe", "ad al at ax ba be bg by ch cz de dk ee es eu fi fo fr gb gg gi gr hr hu ie im is it je li lt lu lv mc md me mk mt nl no pl pt ro rs ru se si sj sk sm su ua uk va xk"},
	{"oceania", "aq as au ck fj fm gu hm ki mh mp nc nf nr nu nz pf pg pn pw sb tf tk to tv vu wf ws"},
}

// regionOf is the part of the world that an extension belongs to.
func regionOf(name string) string {
	last := name[strings.LastIndexByte(name, '.')+1:]
	for _, r := range regionCodes {
		if slices.Contains(strings.Fields(r.codes), last) {
			return r.region
		}
	}
	return "generic"
}

// tldID is an id that depends on the name alone, so that it is the same for
// everybody and for ever. It fits the 31 bits that clients have.
func tldID(name string) int64 {
	h := fnv.New32a()
	h.Write([]byte(name))
	return int64(h.Sum32()&0x7fffffff) | 1
}

// tldOptions: v5 lists what it sells to everybody and what is open, so every
// extension is in the phase golive and of the visibility all, which is also mine.
func tldOptions() *query.Schema[tldOut] {
	return query.New(tldsPerPage,
		query.Text("name", query.Sort|query.Natural, func(t *tldOut) string { return t.Name }),
		query.Text("phase", query.Eq|query.Sort, func(t *tldOut) string { return t.Phase }).Default("golive"),
		query.Texts("visibility", query.Eq|query.Sort, func(t *tldOut) []string { return []string{"all", "mine"} }).Default("mine"),
	)
}

func tldList(ctx context.Context, c *Call, q *query.Query[tldOut]) ([]tldOut, error) {
	found, err := c.V5.TLDs(ctx)
	if err != nil {
		return nil, err
	}
	tlds := make([]tldOut, 0, len(found))
	for _, t := range found {
		if name := strings.TrimPrefix(strings.ToLower(t.Name), "."); name != "" {
			tlds = append(tlds, tldOut{tldID(name), name, "golive", regionOf(name), "all"})
		}
	}
	slices.SortFunc(tlds, func(a, b tldOut) int { return strings.Compare(a.Name, b.Name) })
	return onPage(q, tlds), nil
}

// tldRegion is a page of tldList by region.
func tldRegion(ctx context.Context, c *Call, q *query.Query[tldOut]) (keyed, error) {
	page, err := tldList(ctx, c, q)
	if err != nil {
		return nil, err
	}
	names := map[string][]xmlrpc.Value{}
	var regions []string
	for _, t := range page {
		if names[t.Region] == nil {
			regions = append(regions, t.Region)
		}
		names[t.Region] = append(names[t.Region], xmlrpc.String(t.Name))
	}
	slices.Sort(regions)
	out := keyed{}
	for _, region := range regions {
		out = append(out, xmlrpc.M(region, xmlrpc.Array(names[region]...)))
	}
	return out, nil
}
