package zones

import "time"

// The public zone has what a new domain has (seen in clients). It is the same
// for all tenants, and nobody can change it.

const publicOwner = "GANDI"

var publicDate = time.Date(2012, 1, 1, 0, 0, 0, 0, time.UTC)

// PublicID is the id of the public zone.
func (b *Book) PublicID() int64 { return b.public }

func (b *Book) publicZone() *Zone {
	return &Zone{ID: b.public, Name: "Default Gandi zone file", Owner: publicOwner, Active: 1, Last: 1, Updated: publicDate, Public: true}
}

func publicVersion() *Version {
	records := publicRecords()
	return &Version{N: 1, Created: publicDate, Slots: int64(len(records)), Digest: digest(rrsets(records)),
		Pages: []pageRef{{First: records[0].Name, N: len(records), Low: 1, High: int64(len(records))}}}
}

func publicRecords() []Record {
	records := []Record{
		{Name: "@", Type: "A", Value: "217.70.184.38", TTL: DefaultTTL},
		{Name: "@", Type: "MX", Value: "10 spool.mail.gandi.net.", TTL: DefaultTTL},
		{Name: "@", Type: "MX", Value: "50 fb.mail.gandi.net.", TTL: DefaultTTL},
		{Name: "blog", Type: "CNAME", Value: "blogs.vip.gandi.net.", TTL: DefaultTTL},
		{Name: "imap", Type: "CNAME", Value: "access.mail.gandi.net.", TTL: DefaultTTL},
		{Name: "pop", Type: "CNAME", Value: "access.mail.gandi.net.", TTL: DefaultTTL},
		{Name: "smtp", Type: "CNAME", Value: "relay.mail.gandi.net.", TTL: DefaultTTL},
		{Name: "webmail", Type: "CNAME", Value: "webmail.gandi.net.", TTL: DefaultTTL},
		{Name: "www", Type: "CNAME", Value: "webredir.vip.gandi.net.", TTL: DefaultTTL},
	}
	for i := range records {
		records[i].Slot = int64(i + 1)
	}
	return records
}
