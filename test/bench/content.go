package main

import (
	"encoding/json"
	"fmt"
	"strconv"
)

// What travels. Every name has its own answer, all of the same length, so that
// an answer given to the wrong caller shows; and names that are asked for at the
// same time differ, so that no peer is measured on answers it shares.

const (
	v3Key   = "benchbenchbenchbench1234"
	v5Token = "benchbench"
	v5Path  = "/v5/domain/domains/"

	firstID = 1_000_000_000 // what a new store gives out first
)

// nameOf is the domain name of a number; numberOf leads back.
func nameOf(i int) string { return fmt.Sprintf("bench-%05d.com", i) }

func numberOf(name string) (int, bool) {
	if len(name) != len("bench-00000.com") {
		return 0, false
	}
	i, err := strconv.Atoi(name[6:11])
	return i, err == nil && nameOf(i) == name
}

// callOf is the v3 call, with the bytes that Python's xmlrpc.client sends.
func callOf(name string) []byte {
	return []byte("<?xml version='1.0'?>\n<methodCall>\n<methodName>domain.info</methodName>\n<params>\n" +
		"<param>\n<value><string>" + v3Key + "</string></value>\n</param>\n" +
		"<param>\n<value><string>" + name + "</string></value>\n</param>\n</params>\n</methodCall>\n")
}

// domainOf is v5's answer.
func domainOf(name string) []byte {
	const person = `"type":"individual","given":"%s","family":"Last Name","streetaddr":"My Street Address","zip":"75011",` +
		`"city":"Paris","country":"FR","email":"example@example.com","phone":"+33.123456789"`
	return fmt.Appendf(nil, `{"id":"ba1167be-2f76-11e9-9dfb-00163ec4cb00","fqdn":"%[1]s","fqdn_unicode":"%[1]s","tld":"com",`+
		`"href":"https://api.gandi.net/v5/domain/domains/%[1]s","status":["clientTransferProhibited"],"can_tld_lock":true,`+
		`"nameservers":["ns-1-a.gandi.net","ns-2-b.gandi.net","ns-3-c.gandi.net"],"dates":{`+
		`"created_at":"2025-09-22T15:11:04Z","registry_created_at":"2025-09-22T13:11:04Z","registry_ends_at":"2026-09-22T13:11:04Z",`+
		`"updated_at":"2025-12-30T10:00:00Z","authinfo_expires_at":"2026-09-22T13:11:04Z","hold_begins_at":"2026-09-22T13:11:04Z",`+
		`"hold_ends_at":"2026-11-06T13:11:04Z","restore_ends_at":"2026-12-06T13:11:04Z"},`+
		`"contacts":{"owner":{%[2]s},"tech":{%[3]s,"same_as_owner":false}},`+
		`"autorenew":{"href":"https://api.gandi.net/v5/x","dates":["2026-08-22T13:11:04Z"],"duration":1,"enabled":false},`+
		`"services":["gandilivedns"],"sharing_space":{"id":"e58f2734-5f7b-11e9-a5c3-00163ec4cb00","name":"My Company",`+
		`"type":"organization","reseller":true},"authinfo":"4796ee0d!","tags":[]}`,
		name, fmt.Sprintf(person, "First Name"), fmt.Sprintf(person, "Other Name"))
}

// answerOf is the v3 answer of a gateway whose store saw the names in the order
// of their numbers.
func answerOf(i int) []byte {
	var d shown
	if err := json.Unmarshal(domainOf(nameOf(i)), &d); err != nil {
		panic(err) // it is a constant
	}
	return answer(d, firstID+i)
}
