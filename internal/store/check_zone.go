package store

import "bytes"

// The checks of zones. A page is of use only while a version names it, and a
// version needs all pages that it names.

func (c *checker) zone(e *parsed) {
	r := ownRecord(c, e, c.records.Zone)
	if r == nil {
		return
	}
	id := e.numbers[0]
	if r.ID != id {
		c.say(e.key, "its value is that of zone %d", r.ID)
		return
	}
	if index := ZoneTenantKey(r.Tenant, id); c.tx.b.Get(index) == nil {
		c.say(e.key, "%s is missing", Readable(index))
	}
	if version := ZoneVersionKey(id, r.Active); r.Active != 0 && c.tx.b.Get(version) == nil {
		c.say(e.key, "%s is missing, and it is the active one", Readable(version))
	}
	used := map[int64]bool{}
	cursor, prefix := c.tx.b.Cursor(), ZoneVersionsPrefix(id)
	for k, v := cursor.Seek(prefix); k != nil && bytes.HasPrefix(k, prefix); k, v = cursor.Next() {
		if pages, err := c.records.ZonePages(v); err == nil {
			for _, p := range pages {
				used[p] = true
			}
		}
	}
	prefix = ZonePagesPrefix(id)
	for k, _ := cursor.Seek(prefix); k != nil && bytes.HasPrefix(k, prefix); k, _ = cursor.Next() {
		switch page := TrailingID(k); {
		case !used[page]:
			c.say(k, "no version has it")
		case page > r.Pages:
			c.say(k, "the pages of the zone end at %d, so it will be given out again", r.Pages)
		}
	}
}

func (c *checker) zoneTenant(e *parsed) {
	r := record(c, e.key, ZoneKey(e.numbers[0]), c.records.Zone)
	if r != nil && r.Tenant != e.strings[0] {
		c.say(e.key, "the zone is tenant %s's", readablePart(r.Tenant))
	}
}

func (c *checker) zoneVersion(e *parsed) {
	id := e.numbers[0]
	record(c, e.key, ZoneKey(id), c.records.Zone)
	pages, err := c.records.ZonePages(e.value)
	if err != nil {
		c.say(e.key, "its value cannot be read: %v", err)
	}
	for _, p := range pages {
		if page := ZonePageKey(id, p); c.tx.b.Get(page) == nil {
			c.say(e.key, "%s is missing", Readable(page))
		}
	}
}

func (c *checker) zonePage(e *parsed) {
	record(c, e.key, ZoneKey(e.numbers[0]), c.records.Zone)
}

// zoneLink may lead to the public zone, which is in no store.
func (c *checker) zoneLink(e *parsed) {
	zone, err := c.records.ZoneLink(e.value)
	if err != nil {
		c.say(e.key, "its value cannot be read: %v", err)
		return
	}
	if index := ZoneDomainKey(e.strings[0], zone, e.strings[1]); c.tx.b.Get(index) == nil {
		c.say(e.key, "%s is missing", Readable(index))
	}
}

func (c *checker) zoneDomain(e *parsed) {
	tenant, fqdn := e.strings[0], e.strings[1]
	link := ZoneLinkKey(tenant, fqdn)
	value := c.tx.b.Get(link)
	if value == nil {
		c.say(e.key, "%s is not there", Readable(link))
		return
	}
	if zone, err := c.records.ZoneLink(value); err == nil && zone != e.numbers[0] {
		c.say(e.key, "the domain's zone is %d", zone)
	}
}
