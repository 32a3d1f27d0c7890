package gateway

import (
	"fmt"
	"net/http"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"v3gate/internal/handles"
	"v3gate/internal/sandbox"
	"v3gate/internal/store"
	"v3gate/internal/v5"
)

// crowd is how many domains share the handle of the killed update.
const crowd = 500

func crowded(i int) string { return fmt.Sprintf("crowd-%03d.com", i) }

// A process killed with SIGKILL half-way through a contact.update of 500 domains
// leaves a store from which the next one goes on: in the end each domain has the
// new content, and v5 was asked once for each role, whatever it was that the
// process had not written down yet.
func TestKillContactUpdate(t *testing.T) {
	if testing.Short() {
		t.Skip("what may have been sent is looked for more than a minute; run without -short")
	}
	for point, at := range map[string][]int{"item": {350}, "item-sent": {350, 1100}, "item-outcome": {350}} {
		for _, nth := range at { // of 1000 sends and 1000 looks
			t.Run(fmt.Sprint(point, " ", nth), func(t *testing.T) {
				t.Parallel()
				v := newKillV5(t, "contact.update", "")
				d := death{Store: filepath.Join(t.TempDir(), "store.db"), V5: v.url, Method: "contact.update",
					Point: point, Nth: nth, Speed: 1}
				d.Handle = crowdStore(t, d.Store)
				v.run(t, d, true)
				r := d.gateway(t, nil)
				op := r.must(t, "operation.info", keyA, 1_000_000_000)
				for deadline := time.Now().Add(4 * time.Minute); op["step"] == "RUN" && time.Now().Before(deadline); time.Sleep(50 * time.Millisecond) {
					op = r.must(t, "operation.info", keyA, 1_000_000_000)
				}
				if op["step"] != "DONE" || op["type"] != "contact_update" {
					t.Errorf("operation %v", op)
				}
				v.checkCrowd(t)
			})
		}
	}
}

// crowdStore makes the store in which a handle is used by the crowd, in all roles.
func crowdStore(t *testing.T, path string) (handle string) {
	t.Helper()
	db, err := store.Open(path, time.Second)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	book := handles.New(db, handles.DefaultFloors(), time.Now)
	p := person()
	c, err := book.Create("a", handles.Fields{
		Given: p["given"].(string), Family: p["family"].(string), Email: p["email"].(string), StreetAddr: p["streetaddr"].(string),
		Zip: p["zip"].(string), City: p["city"].(string), Country: p["country"].(string), Phone: p["phone"].(string),
	})
	if err == nil {
		err = db.Update(func(tx *store.Tx) error {
			for i := range crowd {
				roles := handles.Roles{Owner: c.Handle, Admin: c.Handle, Bill: c.Handle, Tech: c.Handle}
				if err := book.SetRoles(tx, "a", crowded(i), roles, nil); err != nil {
					return err
				}
			}
			return nil
		})
	}
	if err != nil {
		t.Fatal(err)
	}
	return c.Handle
}

// crowdSeed are the domains as v5 has them before.
func crowdSeed() (s sandbox.Seed) {
	owner := map[string]any{"type": "individual"}
	for name, value := range person() {
		if name != "type" && name != "password" {
			owner[name] = value
		}
	}
	for i := range crowd {
		s.Domains = append(s.Domains, sandbox.SeedDomain{FQDN: crowded(i), SharingID: orgA, Owner: owner})
	}
	return s
}

const crowdMoved = "8 Yacht Street"

// checkCrowd wants every domain changed, each role by one request.
func (v *killV5) checkCrowd(t *testing.T) {
	t.Helper()
	client, err := v5.New(v5.Options{BaseURL: v.url})
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	session := client.Session(v5.Credential{Scheme: "Bearer", Secret: sandbox.DefaultToken}, orgA)
	sent := map[string]int{}
	for _, q := range v.sim.Requests() {
		if q.Method != http.MethodGet {
			sent[q.Method+" "+strings.Split(q.Path, "/")[4]]++
		}
	}
	for i := range crowd {
		for _, method := range []string{"PATCH", "PUT"} {
			if n := sent[method+" "+crowded(i)]; n != 1 {
				t.Errorf("%s %s was sent %d times", method, crowded(i), n)
			}
		}
		c, err := session.DomainContacts(t.Context(), crowded(i))
		if err != nil {
			t.Fatal(err)
		}
		for role, where := range map[string]string{
			"owner": c.Owner.StreetAddr, "admin": c.Admin.StreetAddr, "bill": c.Bill.StreetAddr, "tech": c.Tech.StreetAddr,
		} {
			if where != crowdMoved {
				t.Errorf("%s of %s lives in %s", role, crowded(i), where)
			}
		}
	}
	if len(sent) != 2*crowd {
		t.Errorf("%d domains and roles were changed", len(sent))
	}
}
