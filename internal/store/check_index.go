package store

import "encoding/json"

// The checks of records and indexes, kind by kind. Each says of an entry what it
// leads to that is not there or says otherwise, and of a record which index does
// not lead to it.

func (c *checker) contact(e *parsed) {
	r := ownRecord(c, e, c.records.Contact)
	if r == nil {
		return
	}
	if r.Handle != e.strings[0] {
		c.say(e.key, "its value is that of %s", r.Handle)
	}
	idKey := ContactIDKey(r.ID)
	if to := c.tx.b.Get(idKey); string(to) != e.strings[0] {
		c.leads(e.key, idKey, to)
	}
	if own := ContactTenantKey(r.Tenant, r.ID); string(c.tx.b.Get(own)) != e.strings[0] {
		c.leads(e.key, own, c.tx.b.Get(own))
	}
	if r.Digest == "" {
		return
	}
	content := ContactContentKey(r.Tenant, c.tx.Digest(r.Digest), r.ID)
	if to := c.tx.b.Get(content); string(to) != e.strings[0] {
		c.leads(e.key, content, to)
	}
}

// leads says that an index does not lead to where it should.
func (c *checker) leads(from, index, to []byte) {
	if to == nil {
		c.say(from, "%s is missing", Readable(index))
	} else {
		c.say(from, "%s leads to %s", Readable(index), readablePart(string(to)))
	}
}

func (c *checker) contactID(e *parsed) {
	r := record(c, e.key, ContactKey(string(e.value)), c.records.Contact)
	if r != nil && r.ID != e.numbers[0] {
		c.say(e.key, "contact %s has the id %d", e.value, r.ID)
	}
}

func (c *checker) contactContent(e *parsed) {
	r := record(c, e.key, ContactKey(string(e.value)), c.records.Contact)
	switch {
	case r == nil:
	case r.Tenant != e.strings[0]:
		c.say(e.key, "contact %s is tenant %s's", e.value, r.Tenant)
	case r.ID != e.numbers[0]:
		c.say(e.key, "contact %s has the id %d", e.value, r.ID)
	case r.Digest == "" || c.tx.Digest(r.Digest) != e.strings[1]:
		c.say(e.key, "contact %s has other content", e.value)
	}
}

func (c *checker) contactTenant(e *parsed) {
	r := record(c, e.key, ContactKey(string(e.value)), c.records.Contact)
	switch {
	case r == nil:
	case r.Tenant != e.strings[0]:
		c.say(e.key, "contact %s is tenant %s's", e.value, r.Tenant)
	case r.ID != e.numbers[0]:
		c.say(e.key, "contact %s has the id %d", e.value, r.ID)
	}
}

func (c *checker) own(e *parsed) {
	key := ContactKey(string(e.value))
	if c.tx.b.Get(key) == nil {
		c.say(e.key, "%s is not there", Readable(key))
	}
}

// dnsKey leads to a domain of v5's, which need not have a record here.
func (c *checker) dnsKey(e *parsed) {
	if len(e.value) == 0 {
		c.say(e.key, "it names no domain")
	}
}

// json is the check of a value that leads to nothing else.
func (c *checker) json(e *parsed) {
	ownRecord(c, e, func(value []byte) (v any, err error) { return v, json.Unmarshal(value, &v) })
}

func (c *checker) smdFile(e *parsed) {
	if mark := SMDKey(e.strings[0], e.numbers[0]); c.tx.b.Get(mark) == nil {
		c.say(e.key, "%s is not there", Readable(mark))
	}
	ownRecord(c, e, func(value []byte) (any, error) { return value, nil })
}

func (c *checker) domain(e *parsed) {
	r := ownRecord(c, e, c.records.Domain)
	if r == nil {
		return
	}
	tenant, fqdn := e.strings[0], e.strings[1]
	idKey := DomainIDKey(r.ID)
	if value := c.tx.b.Get(idKey); value == nil {
		c.say(e.key, "%s is missing", Readable(idKey))
	} else if t, f, err := c.records.DomainID(value); err == nil && (t != tenant || f != fqdn) {
		c.say(e.key, "%s leads to %s of tenant %s", Readable(idKey), readablePart(f), readablePart(t))
	}
	for role, handle := range r.Roles {
		if uses := UsesKey(handle, tenant, fqdn, role); c.tx.b.Get(uses) == nil {
			c.say(e.key, "%s is missing", Readable(uses))
		}
	}
}

func (c *checker) domainID(e *parsed) {
	tenant, fqdn, err := c.records.DomainID(e.value)
	if err != nil {
		c.say(e.key, "its value cannot be read: %v", err)
		return
	}
	r := record(c, e.key, DomainKey(tenant, fqdn), c.records.Domain)
	if r != nil && r.ID != e.numbers[0] {
		c.say(e.key, "domain %s has the id %d", readablePart(fqdn), r.ID)
	}
}

func (c *checker) uses(e *parsed) {
	handle, tenant, fqdn, role := e.strings[0], e.strings[1], e.strings[2], e.strings[3]
	if key := ContactKey(handle); c.tx.b.Get(key) == nil {
		c.say(e.key, "%s is not there", Readable(key))
	}
	r := record(c, e.key, DomainKey(tenant, fqdn), c.records.Domain)
	if r != nil && r.Roles[role] != handle {
		c.say(e.key, "the domain's %s is %s", role, readablePart(r.Roles[role]))
	}
}

func (c *checker) seen(e *parsed) {
	if !c.opaque {
		if _, err := c.tx.seal.reveal(e.key, e.value); err != nil {
			c.say(e.key, "%v", err)
		}
	}
	if key := DomainKey(e.strings[0], e.strings[1]); c.tx.b.Get(key) == nil {
		c.say(e.key, "%s is not there", Readable(key))
	}
}

func (c *checker) op(e *parsed) {
	r := ownRecord(c, e, c.records.Operation)
	if r == nil {
		return
	}
	id := e.numbers[0]
	if r.ID != id {
		c.say(e.key, "its value is that of operation %d", r.ID)
		return
	}
	if index := OpTenantKey(r.Tenant, id); c.tx.b.Get(index) == nil {
		c.say(e.key, "%s is missing", Readable(index))
	}
	if index := OpOpenKey(id); !r.AtEnd && c.tx.b.Get(index) == nil {
		c.say(e.key, "%s is missing, and it is not at its end", Readable(index))
	}
	if index := OpAboutKey(r.Tenant, r.FQDN, id); !r.AtEnd && c.tx.b.Get(index) == nil {
		c.say(e.key, "%s is missing, and it is not at its end", Readable(index))
	}
	// These may be held by another operation: that is looked at there.
	if index := OpGuardKey(r.FQDN); r.Guards && c.tx.b.Get(index) == nil {
		c.say(e.key, "%s is missing: nothing keeps another purchase off the name", Readable(index))
	}
	if index := OpOnceKey(r.FQDN, r.Once); r.Once != "" && r.Spent && c.tx.b.Get(index) == nil {
		c.say(e.key, "%s is missing: nothing keeps it from being done again", Readable(index))
	}
	if index := OpListKey(r.Tenant, r.List); r.Lists && c.tx.b.Get(index) == nil {
		c.say(e.key, "%s is missing", Readable(index))
	}
}

func (c *checker) opTenant(e *parsed) {
	r := record(c, e.key, OpKey(e.numbers[0]), c.records.Operation)
	if r != nil && r.Tenant != e.strings[0] {
		c.say(e.key, "the operation is tenant %s's", readablePart(r.Tenant))
	}
}

func (c *checker) opOpen(e *parsed) {
	if r := record(c, e.key, OpKey(e.numbers[0]), c.records.Operation); r != nil && r.AtEnd {
		c.say(e.key, "the operation is at its end")
	}
}

func (c *checker) opAbout(e *parsed) {
	r := record(c, e.key, OpKey(e.numbers[0]), c.records.Operation)
	switch {
	case r == nil:
	case r.Tenant != e.strings[0] || r.FQDN != e.strings[1]:
		c.say(e.key, "the operation is about %s of tenant %s", readablePart(r.FQDN), readablePart(r.Tenant))
	case r.AtEnd:
		c.say(e.key, "the operation is at its end")
	}
}

func (c *checker) opGuard(e *parsed) {
	id := TrailingID(e.value)
	r := record(c, e.key, OpKey(id), c.records.Operation)
	switch {
	case r == nil:
	case r.FQDN != e.strings[0]:
		c.say(e.key, "operation %d is about %s", id, readablePart(r.FQDN))
	case !r.Guards:
		c.say(e.key, "operation %d need not hold the name any more", id)
	}
}

// opOnce may outlive its operation: what was done once stays done when that is
// pruned.
func (c *checker) opOnce(e *parsed) {
	id := TrailingID(e.value)
	value, _, ok := c.read(OpKey(id))
	if !ok {
		return
	}
	r, err := c.records.Operation(value)
	switch {
	case err != nil: // said at the operation
	case r.FQDN != e.strings[0] || r.Once != e.strings[1]:
		c.say(e.key, "operation %d is about %s %s", id, readablePart(r.FQDN), readablePart(r.Once))
	case !r.Spent:
		c.say(e.key, "operation %d did not do it", id)
	}
}

func (c *checker) opItem(e *parsed) {
	if !c.opaque {
		if _, err := c.tx.seal.reveal(e.key, e.value); err != nil {
			c.say(e.key, "%v", err)
		}
	}
	id, place := e.numbers[0], e.numbers[1]
	if r := record(c, e.key, OpKey(id), c.records.Operation); r != nil && (place < 1 || place > r.Places) {
		c.say(e.key, "the work list of the operation ends at place %d", r.Places)
	}
}

func (c *checker) opList(e *parsed) {
	id := TrailingID(e.value)
	r := record(c, e.key, OpKey(id), c.records.Operation)
	switch {
	case r == nil:
	case r.Tenant != e.strings[0] || r.List != e.strings[1]:
		c.say(e.key, "operation %d is at work on list %s of tenant %s", id, readablePart(r.List), readablePart(r.Tenant))
	case !r.Lists:
		c.say(e.key, "operation %d is not at work on it any more", id)
	}
}
