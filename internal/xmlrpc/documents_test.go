package xmlrpc

import (
	"fmt"
	"testing"
	"time"
)

// document is one of the bodies that speed is measured on.
type document struct {
	name   string
	method string // empty for an answer
	value  Value  // of the answer, or the array of a call's parameters
}

// encoded gives the document as Python's library writes it.
func (d document) encoded(tb testing.TB) []byte {
	tb.Helper()
	b, err := AppendResponse(nil, d.value)
	if d.method != "" {
		b, err = AppendCall(nil, d.method, d.params()...)
	}
	if err != nil {
		tb.Fatal(err)
	}
	return b
}

// params gives the parameters of a call.
func (d document) params() []Value {
	params := make([]Value, d.value.Len())
	for i := range params {
		params[i] = d.value.Index(i)
	}
	return params
}

// decode reads the document with the function that a server or a client uses.
func (d document) decode(body []byte) error {
	if d.method != "" {
		_, err := DecodeCall(body, "", DefaultLimits())
		return err
	}
	_, err := DecodeResponse(body, DefaultLimits())
	return err
}

// documents gives requests and answers of typical and of large size.
func documents() []document {
	key := String("a1b2c3d4e5f6a1b2c3d4e5f6")
	records := make([]Value, 200)
	for i := range records {
		records[i] = Struct(M("name", String(fmt.Sprintf("host%d", i))), M("type", String("A")),
			M("value", String(fmt.Sprintf("192.0.2.%d", i))), M("ttl", Int(10800)))
	}
	domains := make([]Value, 100)
	for i := range domains {
		domains[i] = listedDomain(i)
	}
	return []document{
		{"contact.create", "contact.create", Array(key, contact())},
		{"domain.create", "domain.create", Array(key, String("example.com"), domainOrder())},
		{"record.set200", "domain.zone.record.set", Array(key, Int(12345), Int(2), Array(records...))},
		{"operation", "", operation()},
		{"domain.list100", "", Array(domains...)},
	}
}

// contact is the struct of a contact.create, of 17 members.
func contact() Value {
	return Struct(
		M("given", String("Émilie")), M("family", String("Dupont")), M("email", String("emilie@example.com")),
		M("streetaddr", String("63-65 boulevard Masséna")), M("zip", String("75013")), M("city", String("Paris")),
		M("country", String("FR")), M("phone", String("+33.123456789")), M("mobile", String("+33.623456789")),
		M("fax", Nil()), M("password", String("correct horse & battery")), M("type", Int(0)),
		M("mail_obfuscated", Bool(true)), M("data_obfuscated", Bool(false)), M("newsletter", Int(0)),
		M("orgname", String("Example SARL")), M("lang", String("fr")))
}

// domainOrder is the struct of a domain.create.
func domainOrder() Value {
	return Struct(
		M("owner", String("ED123-GANDI")), M("admin", String("ED123-GANDI")), M("bill", String("ED123-GANDI")),
		M("tech", String("ED123-GANDI")), M("duration", Int(2)), M("accept_contract", Bool(true)),
		M("nameservers", Array(String("a.dns.example.net"), String("b.dns.example.net"), String("c.dns.example.net"))),
		M("extra", Struct(M("x-fr_nic", String("")))))
}

// operation is the answer to a domain.create.
func operation() Value {
	at := DateTime(time.Date(2013, 4, 4, 3, 21, 39, 0, time.UTC))
	contacts := Struct(M("owner", String("ED123-GANDI")), M("admin", String("ED123-GANDI")),
		M("bill", String("ED123-GANDI")), M("tech", String("ED123-GANDI")), M("reseller", Nil()))
	return Struct(
		M("id", Int(5432198)), M("step", String("BILL")), M("type", String("domain_create")),
		M("source", String("ED123-GANDI")), M("eta", Int(-2)), M("last_error", Nil()), M("errortype", Nil()),
		M("date_created", at), M("date_updated", at), M("date_start", Nil()), M("session_id", Int(1234567)),
		M("infos", Struct(M("product_action", String("create")), M("product_type", String("domain")),
			M("product_name", String("example.com")), M("quantity", String("")), M("label", String("example.com")),
			M("id", String("")), M("extras", Struct()))),
		M("params", Struct(M("domain", String("example.com")), M("duration", Int(2)), M("contacts", contacts),
			M("ns", Array(String("a.dns.example.net"), String("b.dns.example.net"))), M("tld", String("com")),
			M("price", Double(15.5)), M("currency", String("EUR")), M("param_type", String("domain")))))
}

// listedDomain is one entry of a domain.list.
func listedDomain(i int) Value {
	at := DateTime(time.Date(2013, 4, 4, 3, 21, i%60, 0, time.UTC))
	return Struct(
		M("id", Int(int64(100000+i))), M("fqdn", String(fmt.Sprintf("example-%d.com", i))),
		M("fqdn_ace", String(fmt.Sprintf("example-%d.com", i))), M("tld", String("com")),
		M("authinfo", String("ab12cd34&ef")), M("status", Array(String("clientTransferProhibited"))),
		M("date_created", at), M("date_updated", at), M("date_registry_creation", at), M("date_registry_end", at),
		M("date_hold_begin", at), M("date_hold_end", Nil()), M("date_delete", at), M("date_restore_end", Nil()),
		M("date_pending_delete_end", Nil()), M("zone_id", Int(4242)), M("tags", Array()))
}

// plainGo gives a value as the maps and slices that other libraries take.
func plainGo(v Value) any {
	switch v.Kind() {
	case KindNil:
		return nil
	case KindInt:
		n, _ := v.Int()
		return n
	case KindBool:
		b, _ := v.Bool()
		return b
	case KindDouble:
		f, _ := v.Double()
		return f
	case KindDateTime:
		t, _ := v.Time()
		return t
	case KindArray:
		items := make([]any, v.Len())
		for i := range items {
			items[i] = plainGo(v.Index(i))
		}
		return items
	case KindStruct:
		members := make(map[string]any, v.Len())
		for i := range v.Len() {
			members[v.Member(i).Name] = plainGo(v.Index(i))
		}
		return members
	}
	return v.Text()
}
