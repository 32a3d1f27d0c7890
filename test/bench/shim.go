package main

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"time"
)

// shim is the gateway that a Go user writes in an afternoon: encoding/xml in,
// net/http and encoding/json behind, fmt out. It knows one method, one key and
// two handles, checks nothing, and keeps no store, log or metrics.
func shim(upstream string) http.Handler {
	client := &http.Client{Transport: tuned()}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var call struct {
			Method string   `xml:"methodName"`
			Params []string `xml:"params>param>value>string"`
		}
		err := xml.NewDecoder(r.Body).Decode(&call)
		if err != nil || call.Method != "domain.info" || len(call.Params) != 2 || call.Params[0] != v3Key {
			http.Error(w, "bad call", http.StatusBadRequest)
			return
		}
		number, known := numberOf(call.Params[1])
		d, err := askDomain(client, r, upstream+v5Path+call.Params[1])
		if err != nil || !known {
			http.Error(w, fmt.Sprint(err), http.StatusBadGateway)
			return
		}
		body := answer(d, firstID+number)
		w.Header().Set("Content-Type", "text/xml; charset=utf-8")
		w.Header().Set("Content-Length", strconv.Itoa(len(body)))
		w.Write(body)
	})
}

// shown is what the shim reads of v5's domain.
type shown struct {
	ID          string            `json:"id"`
	FQDN        string            `json:"fqdn"`
	TLD         string            `json:"tld"`
	Status      []string          `json:"status"`
	CanTLDLock  bool              `json:"can_tld_lock"`
	Nameservers []string          `json:"nameservers"`
	Services    []string          `json:"services"`
	AuthInfo    string            `json:"authinfo"`
	Tags        []string          `json:"tags"`
	Dates       map[string]string `json:"dates"`
	Contacts    map[string]struct {
		Given, Family, Email, Phone string
	} `json:"contacts"`
}

func askDomain(client *http.Client, r *http.Request, url string) (d shown, err error) {
	req, err := http.NewRequestWithContext(r.Context(), http.MethodGet, url, nil)
	if err != nil {
		return d, err
	}
	req.Header.Set("Authorization", "Bearer "+v5Token)
	resp, err := client.Do(req)
	if err != nil {
		return d, err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err == nil && resp.StatusCode != http.StatusOK {
		err = fmt.Errorf("status %d", resp.StatusCode)
	}
	if err != nil {
		return d, err
	}
	return d, json.Unmarshal(body, &d)
}

var paris, _ = time.LoadLocation("Europe/Paris")

// writer writes a v3 answer member by member.
type writer struct {
	bytes.Buffer
	dates map[string]string
}

func (w *writer) open(name, kind string) {
	fmt.Fprintf(w, "<member>\n<name>%s</name>\n<value><%s>", name, kind)
}

func (w *writer) shut(kind string) { fmt.Fprintf(w, "</%s></value>\n</member>\n", kind) }

func (w *writer) text(name, value string) {
	w.open(name, "string")
	xml.EscapeText(w, []byte(value))
	w.shut("string")
}

func (w *writer) number(name string, value int) {
	w.open(name, "int")
	fmt.Fprint(w, value)
	w.shut("int")
}

func (w *writer) truth(name string, value bool) {
	w.open(name, "boolean")
	fmt.Fprint(w, map[bool]int{true: 1}[value])
	w.shut("boolean")
}

func (w *writer) null(name string) {
	fmt.Fprintf(w, "<member>\n<name>%s</name>\n<value><nil/></value></member>\n", name)
}

func (w *writer) list(name string, values []string) {
	w.open(name, "array")
	w.WriteString("<data>\n")
	for _, v := range values {
		fmt.Fprintf(w, "<value><string>%s</string></value>\n", v)
	}
	w.WriteString("</data>")
	w.shut("array")
}

func (w *writer) date(name, v5 string, zone *time.Location) {
	t, err := time.Parse(time.RFC3339, w.dates[v5])
	if err != nil {
		w.null(name)
		return
	}
	w.open(name, "dateTime.iso8601")
	w.WriteString(t.In(zone).Format("20060102T15:04:05"))
	w.shut("dateTime.iso8601")
}

func (w *writer) role(name, handle string, id int) {
	w.open(name, "struct")
	w.WriteString("\n")
	w.text("handle", handle)
	w.number("id", id)
	w.shut("struct")
}

// answer is a domain as v3 gave it.
func answer(d shown, id int) []byte {
	w := &writer{dates: d.Dates}
	w.WriteString("<?xml version='1.0'?>\n<methodResponse>\n<params>\n<param>\n<value><struct>\n")
	w.text("entity_id", d.ID)
	w.date("date_updated", "updated_at", paris)
	w.date("date_delete", "deletes_at", time.UTC)
	w.truth("can_tld_lock", d.CanTLDLock)
	w.truth("is_premium", false)
	w.date("date_hold_begin", "hold_begins_at", time.UTC)
	w.date("date_registry_end", "registry_ends_at", time.UTC)
	w.date("authinfo_expiration_date", "authinfo_expires_at", paris)
	w.open("contacts", "struct")
	w.WriteString("\n")
	w.role("owner", "FLN5000000-GANDI", firstID)
	w.role("admin", "FLN5000000-GANDI", firstID)
	w.role("bill", "FLN5000000-GANDI", firstID)
	w.role("tech", "OLN5000001-GANDI", firstID+1)
	w.null("reseller")
	w.shut("struct")
	w.list("nameservers", d.Nameservers)
	w.date("date_restore_end", "restore_ends_at", time.UTC)
	w.number("id", id)
	w.text("authinfo", d.AuthInfo)
	w.list("status", d.Status)
	w.list("tags", d.Tags)
	w.date("date_hold_end", "hold_ends_at", time.UTC)
	w.list("services", []string{"gandidns"})
	w.date("date_pending_delete_end", "pending_delete_ends_at", time.UTC)
	w.number("zone_id", id+1) // its own zone; the first number is the public one's
	w.date("date_renew_begin", "renew_begins_at", time.UTC)
	w.text("fqdn", d.FQDN)
	w.null("autorenew")
	w.date("date_registry_creation", "registry_created_at", time.UTC)
	w.text("tld", d.TLD)
	w.date("date_created", "created_at", time.UTC)
	w.truth("is_special_price", false)
	w.WriteString("</struct></value>\n</param>\n</params>\n</methodResponse>\n")
	return w.Bytes()
}
