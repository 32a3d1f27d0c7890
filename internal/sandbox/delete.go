package sandbox

import (
	"slices"
	"time"
)

// undeletable are the states in which a registry refuses to delete a domain (RFC
// 5731).
var undeletable = []string{"clientDeleteProhibited", "serverDeleteProhibited", "pendingTransfer"}

// checkDelete refuses what cannot be deleted. The real texts are not established.
func (s *Sandbox) checkDelete(c *call) *answer {
	d := c.domain
	switch {
	case d.deleting || !d.deleted.IsZero() || s.now().After(d.life().holdEnds):
		return stateError("the domain is deleted already")
	case slices.ContainsFunc(undeletable, func(state string) bool { return slices.Contains(d.status, state) }):
		return stateError("the domain's status prohibits that it is deleted")
	}
	return nil
}

// deleteDomain deletes a domain after one StepTime. Where the extension has a
// redemption period the domain can be restored until that ends; else it is gone
// and its name is free (inferred).
func (s *Sandbox) deleteDomain(c *call) answer {
	d := c.domain
	d.deleting = true
	s.later(s.now(), func(at time.Time) {
		d.deleting = false
		if rulesOf(d.fqdn).redemption == 0 {
			delete(s.domains, d.fqdn)
			return
		}
		d.deleted = at.UTC()
		d.touch(at)
	})
	return accepted("the domain "+d.fqdn+" is being deleted", "")
}
