package translate

import (
	"fmt"
	"regexp"
	"slices"

	"v3gate/internal/fault"
)

// Table is every v3 method there is a row for, in the order of the v3 reference.
type Table struct {
	Rows   []Row
	byName map[string]*Row
}

// NewTable gives the table. It is checked: Validate says what is wrong with it.
func NewTable() *Table {
	t := &Table{Rows: slices.Concat(built(), zoneRows(), closed())}
	t.byName = make(map[string]*Row, len(t.Rows))
	for i := range t.Rows {
		r := &t.Rows[i]
		t.byName[r.Name] = r
		if r.V5 == nil {
			r.V5 = []string{} // an empty list in JSON, and no null
		}
		if r.Params == nil {
			r.Params = []Param{}
		}
	}
	return t
}

// Find gives the row of a method.
func (t *Table) Find(name string) (*Row, bool) {
	r, ok := t.byName[name]
	return r, ok
}

// built are the rows with a handler. Adding a method is one entry here, a
// function in its resource's file, and fixtures.
func built() []Row {
	return []Row{
		Method("version.info", versionInfo, Row{Support: Local, Class: Read, Key: KeyNone,
			Note: "any key, a wrong one or none is taken, as the original did", Divergences: []int{25}}),
		Method("system.listMethods", listMethods, Row{Support: Local, Class: Read, Key: KeyNone}),
		Method("system.methodSignature", methodSignature, Row{Support: Local, Class: Read, Key: KeyNone, Divergences: []int{9}}),
		Method("system.methodHelp", methodHelp, Row{Support: Local, Class: Read, Key: KeyNone}),

		Writing("contact.create", contactCreateCheck, contactCreateDo, Row{Support: Local, Class: Write, Key: KeyOptional,
			Note: "v5 has no contacts of their own; the gateway keeps them and sends them whole with each domain call", Divergences: []int{1, 2, 3, 4, 20, 27, 28, 29, 30, 31}}),
		Method("contact.info", contactInfo, Row{Support: Local, Class: Read, Key: KeyRequired,
			V5:   []string{"(GET /organization/user-info)", "(GET /organization/organizations)"},
			Note: "without a handle the caller's own contact, read once from v5", Divergences: []int{5, 30, 31}}),

		Writing("contact.update", contactUpdateCheck, contactUpdateDo, Row{Support: Full, Class: Write, Key: KeyRequired,
			V5: []string{"(GET /organization/user-info)", "(GET /organization/organizations)",
				"(PATCH /domain/domains/{d}/contacts, PUT /domain/domains/{d}/contacts/owner and GET /domain/domains/{d}/contacts, for each domain that uses the contact)"},
			Note:        "answered at once; the new content goes to every domain that uses the handle, in an operation of type contact_update",
			Divergences: []int{20, 26, 27, 28, 29, 30, 55, 56, 57}}),
		Method("contact.delete", contactDelete, Row{Support: Full, Class: Write, Key: KeyRequired,
			V5: []string{"(GET /domain/domains/{d})"}, Note: "refused while a domain uses the contact", Divergences: []int{31, 58}}),
		Listing("contact.list", contactOptions(), contactList, Row{Support: Local, Class: Read, Key: KeyRequired, Divergences: []int{30, 50, 51, 53, 54, 59}}),
		Listing("contact.count", contactOptions(), contactCount, Row{Support: Local, Class: Read, Key: KeyRequired, Divergences: []int{50, 51, 53, 54, 59}}),
		Method("contact.balance", contactBalance, Row{Support: Full, Class: Read, Key: KeyRequired,
			V5: []string{"GET /billing/info/{sharing_id}, or /billing/info"}, Divergences: []int{31, 60}}),
		associating("contact.can_associate", canAssociateIn{}, canAssociate, Row{Support: Full, Class: Read, Key: KeyRequired,
			V5:          []string{"(GET /domain/domains/{d})", "(GET /domain/domains/{d}/createstatus)", "(POST /domain/domains with Dry-Run)"},
			Divergences: []int{20, 23, 61}}),
		associating("contact.can_associate_domain", canAssociateDomainIn{}, canAssociateDomain, Row{Support: Full, Class: Read, Key: KeyRequired,
			V5:          []string{"(GET /domain/domains/{d})", "(GET /domain/domains/{d}/createstatus)", "(POST /domain/domains with Dry-Run)"},
			Divergences: []int{23, 31, 61}}),
		Method("contact.release", contactRelease, Row{Support: Full, Class: Write, Key: KeyRequired,
			V5:   []string{"GET /organization/organizations/{id}/customers", "POST /organization/organizations/{id}/action"},
			Note: "gives the customer of that name and mail address up, with all domains", Divergences: []int{31, 62}}),
		Method("contact.reachability.resend", reachabilityResend, Row{Support: Full, Class: Write, Key: KeyRequired,
			V5:   []string{"(GET /domain/domains/{d} and PATCH /domain/domains/{d}/reachability, for each domain that the contact owns)"},
			Note: "in an operation of type reachability_resend", Divergences: []int{31, 63}}),
		Method("contact.available_currencies", availableCurrencies, Row{Support: Local, Class: Read, Key: KeyRequired, Divergences: []int{64}}),

		Method("domain.available", domainAvailable, Row{Support: Full, Class: Read, Key: KeyRequired,
			V5: []string{"(GET /domain/check for each name)"}, Note: "1 to 500 names; an answer is good for a minute", Divergences: []int{6, 42, 45, 89}}),
		Writing("domain.create", domainCreateCheck, domainCreateDo, Row{Support: Partial, Class: Paid, Key: KeyRequired,
			V5: []string{"(GET /domain/domains/{d}/claims)", "(POST /domain/domains/{d}/claims)", "GET /domain/check", "GET /domain/domains/{d}", "GET /domain/domains/{d}/createstatus", "POST /domain/domains with Dry-Run", "POST /domain/domains",
				"and when it is there, with nameservers_ips: POST /domain/domains/{d}/hosts and PUT /domain/domains/{d}/nameservers",
				"with zone_id: PUT /livedns/domains/{d}/records", "with webredir: POST /domain/domains/{d}/webredirs"},
			Note:        "the included mailboxes of v5 are declined; Gandi's old name servers mean LiveDNS; premium names with the account's buy_premium only",
			Divergences: []int{7, 8, 10, 11, 17, 33, 39, 44, 45, 68, 86, 87, 88, 96, 97}}),
		Listing("domain.count", domainOptions(), domainCount, Row{Support: Full, Class: Read, Key: KeyRequired,
			V5:   []string{"(GET /domain/domains)", "(GET /domain/domains/{d} for each domain that is new or was changed)"},
			Note: "from a mirror of the tenant's domains", Divergences: []int{50, 51, 52, 53, 54, 90}}),
		Listing("domain.list", domainOptions(), domainList, Row{Support: Full, Class: Read, Key: KeyRequired,
			V5:   []string{"(GET /domain/domains)", "(GET /domain/domains/{d} for each domain that is new or was changed)"},
			Note: "from a mirror of the tenant's domains", Divergences: []int{34, 50, 51, 52, 53, 54, 90, 91}}),
		Method("domain.info", domainInfo, Row{Support: Full, Class: Read, Key: KeyRequired,
			V5: []string{"GET /domain/domains/{d}"}, Divergences: []int{12, 13, 32, 34, 35, 36, 65, 66}}),
		Writing("domain.contacts.set", contactsSetCheck, submit, Row{Support: Partial, Class: Write, Key: KeyRequired,
			V5: []string{"(GET /domain/domains/{d})", "PATCH /domain/domains/{d}/contacts"}, Divergences: []int{10, 14, 44}}),
		Writing("domain.owner.set", ownerSetCheck, submit, Row{Support: Full, Class: Paid, Key: KeyRequired,
			V5: []string{"GET /domain/domains/{d}", "(GET /domain/changeowner/{d})", "(GET /domain/domains/{d}/contacts)",
				"(POST /domain/changeowner/{d} with Dry-Run)", "(POST /domain/changeowner/{d})", "(PATCH /domain/domains/{d}/contacts)"},
			Note: "an owner with equal content is no change of owner: no v5 call, or only the other contacts", Divergences: []int{10, 11, 15, 32, 39, 43, 44}}),

		Writing("domain.renew", domainRenewCheck, submit, Row{Support: Full, Class: Paid, Key: KeyRequired,
			V5: []string{"GET /domain/domains/{d}", "GET /domain/domains/{d}/renew", "GET /domain/domains/{d}",
				"POST /domain/domains/{d}/renew with Dry-Run", "GET /domain/domains/{d}", "POST /domain/domains/{d}/renew"},
			Note:        "a name and current_year that were renewed once are never renewed again: the first operation is answered",
			Divergences: []int{10, 11, 39, 40, 46}}),
		Writing("domain.restore", domainRestoreCheck, submit, Row{Support: Full, Class: Paid, Key: KeyRequired,
			V5:          []string{"GET /domain/domains/{d}", "GET /domain/domains/{d}/restore", "(both again, twice)", "POST /domain/domains/{d}/restore"},
			Note:        "for one year only; v5 takes no other duration",
			Divergences: []int{10, 11, 39, 40, 47}}),
		Writing("domain.delete", domainDeleteCheck, submit, Row{Support: Full, Class: Write, Key: KeyRequired,
			V5: deleteCalls, Note: "sent once; a restricted feature of v5, which not every organization has", Divergences: []int{10, 39, 92}}),
		Method("domain.delete.available", domainDeleteAvailable, Row{Support: Full, Class: Read, Key: KeyRequired,
			V5: []string{"GET /domain/domains/{d}", "(GET /domain/domains/{d}/restore)"}, Divergences: []int{92}}),
		Writing("domain.delete.proceed", domainDeleteCheck, submit, Row{Support: Full, Class: Write, Key: KeyRequired,
			V5: deleteCalls, Note: "the same as domain.delete", Divergences: []int{10, 39, 92}}),
		Method("domain.release", domainRelease, Row{Support: Full, Class: Write, Key: KeyRequired,
			V5: []string{"GET /domain/domains/{d}", "GET /organization/organizations/{id}/customers",
				"GET /domain/domains", "POST /organization/organizations/{id}/action"},
			Note: "gives up the customer whose only domain it is, and refuses where there are others", Divergences: []int{93}}),

		Method("domain.price", domainPrice, Row{Support: Full, Class: Read, Key: KeyRequired,
			V5: []string{"GET /domain/check for each name"}, Divergences: []int{94}}),
		Method("domain.price.list", domainPriceList, Row{Support: Full, Class: Read, Key: KeyRequired,
			V5: []string{"GET /domain/check for each name"}, Divergences: []int{94}}),
		Method("catalog.list", catalogList, Row{Support: Partial, Class: Read, Key: KeyOptional,
			V5:   []string{"GET /billing/price/domain for each extension", "GET /domain/check for each domain"},
			Note: "the prices of domains", Divergences: []int{95}}),

		Method("domain.transferin.available", transferinAvailable, Row{Support: Full, Class: Read, Key: KeyRequired,
			V5: []string{"POST /domain/transferin/{d}/available"}}),
		Writing("domain.transferin.proceed", transferinProceedCheck, submit, Row{Support: Partial, Class: Paid, Key: KeyRequired,
			V5: []string{"GET /domain/check", "GET /domain/domains/{d}", "GET /domain/transferin/{d}", "POST /domain/transferin with Dry-Run", "POST /domain/transferin",
				"and when it is there, with Gandi's name servers: POST /domain/domains/{d}/livedns",
				"with zone_id: GET and PUT /livedns/domains/{d}/records", "with webredir: POST /domain/domains/{d}/webredirs"},
			Note:        "the included mailboxes of v5 are declined; premium names with the account's buy_premium only",
			Divergences: []int{7, 10, 11, 39, 40, 48, 68, 86, 87, 88}}),

		Writing("domain.status.lock", statusLockCheck, submit, Row{Support: Full, Class: Write, Key: KeyRequired,
			V5: []string{"GET /domain/domains/{d}", "(PATCH /domain/domains/{d}/status)"}, Divergences: []int{10, 72}}),
		Writing("domain.status.unlock", statusUnlockCheck, submit, Row{Support: Full, Class: Write, Key: KeyRequired,
			V5: []string{"GET /domain/domains/{d}", "(PATCH /domain/domains/{d}/status)"}, Divergences: []int{10, 72}}),
		Writing("domain.nameservers.set", nameserversSetCheck, submit, Row{Support: Partial, Class: Write, Key: KeyRequired,
			V5: []string{"(GET /domain/domains/{d})", "PUT /domain/domains/{d}/nameservers, or POST /domain/domains/{d}/livedns",
				"with nameservers_ips, before it and for each: GET, then POST or PUT /domain/domains/{d}/hosts",
				"with zone_id, after it: GET and PUT /livedns/domains/{d}/records"},
			Note: "Gandi's old name servers mean LiveDNS", Divergences: []int{10, 73}}),
		ListingOf("domain.host.count", hostOptions(), hostCount, Row{Support: Full, Class: Read, Key: KeyRequired,
			V5: []string{"(GET /domain/domains/{d})", "GET /domain/domains/{d}/hosts, all pages"}}),
		Writing("domain.host.create", hostCreateCheck, submit, Row{Support: Full, Class: Write, Key: KeyRequired,
			V5: []string{"(GET /domain/domains/{d} for each name it may be)", "GET /domain/domains/{d}/hosts/{name}", "POST /domain/domains/{d}/hosts"}, Divergences: []int{10, 74}}),
		Writing("domain.host.delete", hostDeleteCheck, submit, Row{Support: Full, Class: Write, Key: KeyRequired,
			V5: []string{"(GET /domain/domains/{d} for each name it may be)", "GET /domain/domains/{d}/hosts/{name}", "DELETE /domain/domains/{d}/hosts/{name}"}, Divergences: []int{10, 74}}),
		Method("domain.host.info", hostInfo, Row{Support: Full, Class: Read, Key: KeyRequired,
			V5: []string{"(GET /domain/domains/{d} for each name it may be)", "GET /domain/domains/{d}/hosts/{name}"}, Divergences: []int{74}}),
		ListingOf("domain.host.list", hostOptions(), hostList, Row{Support: Full, Class: Read, Key: KeyRequired,
			V5: []string{"(GET /domain/domains/{d})", "GET /domain/domains/{d}/hosts, all pages"}}),
		Writing("domain.host.update", hostUpdateCheck, submit, Row{Support: Full, Class: Write, Key: KeyRequired,
			V5: []string{"(GET /domain/domains/{d} for each name it may be)", "GET /domain/domains/{d}/hosts/{name}", "(PUT /domain/domains/{d}/hosts/{name})"}, Divergences: []int{10, 74}}),

		Method("domain.dnssec.list", dnssecList, Row{Support: Full, Class: Read, Key: KeyRequired,
			V5: []string{"(GET /domain/domains/{d})", "GET /domain/domains/{d}/dnskeys, all pages"}, Divergences: []int{75}}),
		Writing("domain.dnssec.create", dnssecCreateCheck, submit, Row{Support: Full, Class: Write, Key: KeyRequired,
			V5: []string{"(GET /domain/domains/{d})", "GET /domain/domains/{d}/dnskeys, twice", "POST /domain/domains/{d}/dnskeys"}, Divergences: []int{10, 75}}),
		Writing("domain.dnssec.delete", dnssecDeleteCheck, submit, Row{Support: Full, Class: Write, Key: KeyRequired,
			V5: []string{"(GET /domain/domains/{d})", "GET /domain/domains/{d}/dnskeys", "DELETE /domain/domains/{d}/dnskeys/{id}"}, Divergences: []int{10, 75}}),
		Writing("domain.autorenew.activate", autorenewActivateCheck, autorenewDo, Row{Support: Full, Class: Write, Key: KeyRequired,
			V5: []string{"GET /domain/domains/{d}", "PATCH /domain/domains/{d}/autorenew"}, Divergences: []int{76}}),
		Writing("domain.autorenew.deactivate", autorenewDeactivateCheck, autorenewDo, Row{Support: Full, Class: Write, Key: KeyRequired,
			V5: []string{"GET /domain/domains/{d}", "PATCH /domain/domains/{d}/autorenew"}, Divergences: []int{76}}),

		Listing("domain.tld.list", tldOptions(), tldList, Row{Support: Full, Class: Read, Key: KeyRequired,
			V5: []string{"GET /domain/tlds, all pages"}, Divergences: []int{77}}),
		Listing("domain.tld.region", tldOptions(), tldRegion, Row{Support: Full, Class: Read, Key: KeyRequired,
			V5: []string{"GET /domain/tlds, all pages"}, Divergences: []int{77}}),

		ListingOf("domain.webredir.count", webredirOptions(), webredirCount, Row{Support: Full, Class: Read, Key: KeyRequired,
			V5: []string{"(GET /domain/domains/{d})", "GET /domain/domains/{d}/webredirs, all pages"}, Divergences: []int{78}}),
		Writing("domain.webredir.create", webredirCreateCheck, webredirCreateDo, Row{Support: Full, Class: Write, Key: KeyRequired,
			V5: []string{"(GET /domain/domains/{d})", "GET /domain/domains/{d}/webredirs/{host}", "POST /domain/domains/{d}/webredirs"}, Divergences: []int{78}}),
		Writing("domain.webredir.delete", webredirDeleteCheck, webredirDeleteDo, Row{Support: Full, Class: Write, Key: KeyRequired,
			V5: []string{"(GET /domain/domains/{d})", "GET /domain/domains/{d}/webredirs/{host}", "DELETE /domain/domains/{d}/webredirs/{host}"}, Divergences: []int{78}}),
		ListingOf("domain.webredir.list", webredirOptions(), webredirList, Row{Support: Full, Class: Read, Key: KeyRequired,
			V5: []string{"(GET /domain/domains/{d})", "GET /domain/domains/{d}/webredirs, all pages"}, Divergences: []int{78}}),
		Writing("domain.webredir.update", webredirUpdateCheck, webredirUpdateDo, Row{Support: Full, Class: Write, Key: KeyRequired,
			V5: []string{"(GET /domain/domains/{d})", "GET /domain/domains/{d}/webredirs/{host}", "PATCH /domain/domains/{d}/webredirs/{host}",
				"or, for another host: GET, POST /domain/domains/{d}/webredirs, and DELETE of the old one"}, Divergences: []int{78}}),

		mailListing("domain.mailbox.count", mailboxOptions(), mailboxCount, Row{Support: Full, Class: Read, Key: KeyRequired,
			V5: []string{"(GET /domain/domains/{d})", "GET /email/mailboxes/{d}"}, Divergences: []int{50, 51, 53, 54}}),
		Writing("domain.mailbox.create", mailboxCreateCheck, mailboxCreateDo, Row{Support: Partial, Class: Write, Key: KeyRequired,
			V5: []string{"(GET /domain/domains/{d})", "GET /email/mailboxes/{d}", "GET /email/slots/{d}", "(GET /email/slots/{d})",
				"(POST /email/slots/{d})", "POST /email/mailboxes/{d}"},
			Note: "a slot is bought only where the account's buy_mail_slots allows it", Divergences: []int{10, 20, 22, 80, 81, 82}}),
		Writing("domain.mailbox.delete", mailboxDeleteCheck, mailboxDeleteDo, Row{Support: Full, Class: Write, Key: KeyRequired,
			V5:          []string{"(GET /domain/domains/{d})", "(GET /email/mailboxes/{d})", "GET /email/mailboxes/{d}/{id}", "DELETE /email/mailboxes/{d}/{id}"},
			Divergences: []int{10, 80, 81}}),
		Method("domain.mailbox.info", mailboxInfo, Row{Support: Full, Class: Read, Key: KeyRequired,
			V5:          []string{"(GET /domain/domains/{d})", "(GET /email/mailboxes/{d})", "GET /email/mailboxes/{d}/{id}", "GET /email/slots/{d}"},
			Divergences: []int{80}}),
		mailListing("domain.mailbox.list", mailboxOptions(), mailboxList, Row{Support: Full, Class: Read, Key: KeyRequired,
			V5:          []string{"(GET /domain/domains/{d})", "GET /email/mailboxes/{d}", "(GET /email/slots/{d})", "(GET /email/mailboxes/{d}/{id} for each on the page)"},
			Divergences: []int{50, 51, 53, 54, 80}}),

		Writing("domain.mailbox.purge", mailboxPurgeCheck, submit, Row{Support: Full, Class: Write, Key: KeyRequired,
			V5:          []string{"(GET /domain/domains/{d})", "(GET /email/mailboxes/{d})", "GET /email/mailboxes/{d}/{id}", "DELETE /email/mailboxes/{d}/{id}/contents"},
			Divergences: []int{10, 81}}),
		Writing("domain.mailbox.update", mailboxUpdateCheck, mailboxUpdateDo, Row{Support: Partial, Class: Write, Key: KeyRequired,
			V5:          []string{"(GET /domain/domains/{d})", "(GET /email/mailboxes/{d})", "GET /email/mailboxes/{d}/{id}", "(PATCH /email/mailboxes/{d}/{id})", "GET /email/slots/{d}"},
			Divergences: []int{20, 22, 80, 81}}),
		Writing("domain.mailbox.alias.set", aliasSetCheck, aliasSetDo, Row{Support: Full, Class: Write, Key: KeyRequired,
			V5:          []string{"(GET /domain/domains/{d})", "(GET /email/mailboxes/{d})", "GET /email/mailboxes/{d}/{id}", "(PATCH /email/mailboxes/{d}/{id})", "GET /email/slots/{d}"},
			Divergences: []int{80, 81}}),
		Writing("domain.mailbox.responder.activate", responderActivateCheck, submit, Row{Support: Full, Class: Write, Key: KeyRequired,
			V5:          []string{"(GET /domain/domains/{d})", "(GET /email/mailboxes/{d})", "GET /email/mailboxes/{d}/{id}", "PATCH /email/mailboxes/{d}/{id}"},
			Divergences: []int{10, 83}}),
		Writing("domain.mailbox.responder.deactivate", responderDeactivateCheck, submit, Row{Support: Full, Class: Write, Key: KeyRequired,
			V5:          []string{"(GET /domain/domains/{d})", "(GET /email/mailboxes/{d})", "GET /email/mailboxes/{d}/{id}", "(PATCH /email/mailboxes/{d}/{id})"},
			Divergences: []int{10, 83}}),

		mailListing("domain.forward.count", forwardOptions(), forwardCount, Row{Support: Full, Class: Read, Key: KeyRequired,
			V5: []string{"(GET /domain/domains/{d})", "GET /email/forwards/{d}"}, Divergences: []int{50, 51, 53, 54}}),
		Writing("domain.forward.create", forwardCreateCheck, forwardCreateDo, Row{Support: Full, Class: Write, Key: KeyRequired,
			V5: []string{"(GET /domain/domains/{d})", "GET /email/forwards/{d}", "POST /email/forwards/{d}"}, Divergences: []int{20, 79}}),
		Writing("domain.forward.delete", forwardDeleteCheck, forwardDeleteDo, Row{Support: Full, Class: Write, Key: KeyRequired,
			V5: []string{"(GET /domain/domains/{d})", "GET /email/forwards/{d}", "DELETE /email/forwards/{d}/{source}"}, Divergences: []int{79}}),
		mailListing("domain.forward.list", forwardOptions(), forwardList, Row{Support: Full, Class: Read, Key: KeyRequired,
			V5: []string{"(GET /domain/domains/{d})", "GET /email/forwards/{d}"}, Divergences: []int{50, 51, 53, 54}}),
		Writing("domain.forward.update", forwardUpdateCheck, forwardUpdateDo, Row{Support: Full, Class: Write, Key: KeyRequired,
			V5: []string{"(GET /domain/domains/{d})", "GET /email/forwards/{d}", "(PUT /email/forwards/{d}/{source})"}, Divergences: []int{20, 79}}),

		Writing("domain.packmail.autorenew", packmailAutorenewCheck, submit, Row{Support: Full, Class: Write, Key: KeyRequired,
			V5:   []string{"(GET /domain/domains/{d})", "GET /email/mailboxes/{d}", "PATCH /email/mailboxes/{d}/{id} for each mailbox"},
			Note: "all mailboxes of the domain", Divergences: []int{10, 84}}),
		Method("domain.packmail.info", packmailInfo, Row{Support: Full, Class: Read, Key: KeyRequired,
			V5:   []string{"GET /domain/domains/{d}", "GET /email/offers/{d}", "GET /email/slots/{d}", "GET /email/mailboxes/{d}"},
			Note: "composed of what v5 sells one by one", Divergences: []int{84}}),
		Writing("domain.packmail.renew", packmailRenewCheck, submit, Row{Support: Full, Class: Paid, Key: KeyRequired,
			V5: []string{"(GET /domain/domains/{d})", "GET /email/mailboxes/{d}",
				"GET /email/mailboxes/{d}/{id} and POST /email/mailboxes/{d}/{email}/renew for each mailbox"},
			Note: "all mailboxes of the domain, for one year", Divergences: []int{10, 39, 84}}),

		Listing("domain.eoi.count", eoiOptions(), eoiCount, Row{Support: Local, Class: Read, Key: KeyRequired, Divergences: []int{50, 51, 52, 53, 54, 85}}),
		Method("domain.eoi.delete", eoiDelete, Row{Support: Local, Class: Write, Key: KeyRequired,
			Note: "there is none to delete", Divergences: []int{85}}),
		Method("domain.eoi.info", eoiInfo, Row{Support: Local, Class: Read, Key: KeyRequired,
			Note: "there is none to show", Divergences: []int{85}}),
		Listing("domain.eoi.list", eoiOptions(), eoiList, Row{Support: Local, Class: Read, Key: KeyRequired, Divergences: []int{50, 51, 52, 53, 54, 85}}),
		Writing("domain.claims.accept", claimsAcceptCheck, claimsAccept, Row{Support: Local, Class: Write, Key: KeyRequired, Divergences: []int{97}}),
		Method("domain.claims.check", claimsCheck, Row{Support: Full, Class: Read, Key: KeyRequired,
			V5: []string{"GET /domain/domains/{d}/claims for each name"}, Divergences: []int{97}}),
		Method("domain.claims.info", claimsInfo, Row{Support: Full, Class: Read, Key: KeyRequired,
			V5: []string{"GET /domain/domains/{d}/claims"}, Divergences: []int{97}}),
		Listing("domain.smd.count", smdOptions(), smdCount, Row{Support: Local, Class: Read, Key: KeyRequired, Divergences: []int{50, 51, 52, 53, 54, 96}}),
		Writing("domain.smd.create", smdCreateCheck, smdCreateDo, Row{Support: Local, Class: Write, Key: KeyRequired, Divergences: []int{96}}),
		Writing("domain.smd.delete", smdDeleteCheck, smdDeleteDo, Row{Support: Local, Class: Write, Key: KeyRequired, Divergences: []int{96}}),
		Method("domain.smd.extract", smdExtract, Row{Support: Local, Class: Read, Key: KeyOptional, Divergences: []int{96}}),
		Method("domain.smd.info", smdInfo, Row{Support: Local, Class: Read, Key: KeyRequired, Divergences: []int{96}}),
		Listing("domain.smd.list", smdOptions(), smdList, Row{Support: Local, Class: Read, Key: KeyRequired, Divergences: []int{50, 51, 52, 53, 54, 96}}),

		Method("operation.info", operationInfo, Row{Support: Full, Class: Read, Key: KeyRequired,
			V5: []string{"(what shows the operation's progress)"}, Divergences: []int{16, 17, 40}}),
		Listing("operation.list", operationOptions(), operationList, Row{Support: Full, Class: Read, Key: KeyRequired, Divergences: []int{18, 37, 50, 51, 52, 53, 54}}),
		Listing("operation.count", operationOptions(), operationCount, Row{Support: Full, Class: Read, Key: KeyRequired, Divergences: []int{18, 37, 50, 51, 52, 53, 54}}),

		Method("operation.cancel", operationCancel, Row{Support: Full, Class: Write, Key: KeyRequired,
			Note: "only while nothing was sent; v5 cannot call work back", Divergences: []int{49}}),
		Method("operation.relaunch", operationRelaunch, Row{Support: Full, Class: Paid, Key: KeyRequired,
			V5:          []string{"those of the operation's own method; for a transfer that was begun, PUT /domain/transferin/{d} or its authinfo; for what is bought, what follows"},
			Divergences: []int{49, 87}}),

		{Name: "hosting.account.info", Support: Refused, Class: Read, Key: KeyRequired,
			Note:    "no account behind this gateway has hosting; the recorded fault 530040, which Gandi's own client knows",
			refusal: fault.New(fault.HostingAccount, fault.CauseDontExist, "no hosting account found")},
	}
}

// deleteCalls are what a deletion asks of v5.
var deleteCalls = []string{"GET /domain/domains/{d}", "GET /domain/domains/{d}/restore", "(both again, twice)", "DELETE /domain/domains/{d}"}

// closed are the documented methods that v5 has nothing for.
func closed() []Row {
	return []Row{
		refused("domain.packmail.create", Paid, "v5 sells mailboxes one by one, a different product"),
		refused("domain.packmail.delete", Write, "v5 sells mailboxes one by one, a different product"),
		refused("domain.packmail.update", Paid, "v5 sells mailboxes one by one, a different product"),
		refused("domain.reseller.set", Write, "v5 gives a domain to a reseller only by a transfer or a change of owner"),
		refused("domain.eoi.create", Write, "v5 has no expressions of interest"),
		refused("domain.misc.ukrights", Read, "the programme for .uk rights ended in 2019 and v5 knows nothing of it"),
		refused("domain.push", Write, "v5 has no tag change; it only accepts or refuses an outgoing transfer"),
		refused("domain.delete.accept", Write, noDeleteRequest).key(KeyOptional),
		refused("domain.delete.decline", Write, noDeleteRequest).key(KeyOptional),
		refused("domain.delete.info", Read, noDeleteRequest).key(KeyOptional),
		refused("domain.misc.dk_registrar_validation", Write, "v5 has nothing for it").key(KeyOptional),
		refused("domain.owner.set_dry_run", Read, "an old name; v3 itself replaced it by the --dry-run parameter"),
		refused("changeowner.create", Paid, "an old name; call domain.owner.set"),
		refused("contact.activate", Write, "v5 has no contacts to activate"),
		refused("contact.balance_fo", Read, "private to the old service"),
		refused("contact.balance_v5", Read, "private to the old service"),
		refused("contact.become_reseller", Write, "accounts are made in the web interface"),
		refused("contact.can_associate_bulk", Read, "its answer was never documented; call contact.can_associate_domain for each name"),
		refused("contact.can_associate_domain_fo", Read, "private to the old service"),
		refused("contact.reachability.validate", Write, "v5 lets only the contact itself confirm, by the link it was sent").key(KeyOptional),
		refused("operation.count_bo", Read, "private to the old service"),
		refused("operation.count_fo", Read, "private to the old service"),
		refused("operation.create_bo", Write, "private to the old service"),
		refused("operation.delete_parameter", Write, "private to the old service"),
		refused("operation.get_logs", Read, "private to the old service"),
	}
}

// noDeleteRequest is the reason of the methods with which somebody answered one.
const noDeleteRequest = "v5 deletes a domain without asking anybody, so there is no request to answer or to show"

var methodName = regexp.MustCompile(`^[A-Za-z0-9_]+(\.[A-Za-z0-9_]+)+$`)

// Validate finds what is wrong with the table itself. divergences are the
// numbers that docs/divergences.md has; nil leaves them unchecked, since a
// program at work has no documents.
func (t *Table) Validate(divergences map[int]bool) []error {
	var wrong []error
	seen := map[string]bool{}
	for i := range t.Rows {
		r := &t.Rows[i]
		bad := func(format string, args ...any) {
			wrong = append(wrong, fmt.Errorf("method %s: "+format, append([]any{r.Name}, args...)...))
		}
		if !methodName.MatchString(r.Name) {
			bad("name is not a v3 name")
		}
		if seen[r.Name] {
			bad("two rows")
		}
		seen[r.Name] = true
		if closed := r.Support == Refused; closed != (r.refusal != nil) || closed == (r.call != nil) {
			bad("a %s row must have either a refusal or a handler", r.Support)
		}
		if r.Class != Read && r.Class != Write && r.Class != Paid || r.Key != KeyRequired && r.Key != KeyOptional && r.Key != KeyNone {
			bad("class %q or key %q is unknown", r.Class, r.Key)
		}
		if r.Support == Partial != r.refusesSomething() {
			bad("support %s does not fit its refused parameters", r.Support)
		}
		for _, n := range r.Divergences {
			if divergences != nil && !divergences[n] {
				bad("divergence %d is not in docs/divergences.md", n)
			}
		}
	}
	return wrong
}

func (r *Row) refusesSomething() bool {
	var any func([]Param) bool
	any = func(params []Param) bool {
		for _, p := range params {
			if p.Support == "refused" || any(p.Members) {
				return true
			}
		}
		return false
	}
	return any(r.Params)
}
