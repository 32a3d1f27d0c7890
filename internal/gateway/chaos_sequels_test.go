package gateway

import (
	"encoding/json"
	"errors"
	"slices"

	"v3gate/internal/ops"
)

// checkSequels: a purchase that is DONE has all that was to follow.
func (c *chaos) checkSequels() {
	for _, o := range c.journal {
		var asked struct {
			Webredir string              `json:"webredir"`
			Glue     map[string][]string `json:"nameservers_ips"`
			Servers  []string            `json:"nameservers"`
		}
		if o.Step != ops.Done || o.Type != "domain_create" && o.Type != "domain_transfer_in" {
			continue
		}
		session, err := c.process.session(o.Tenant)
		if err = errors.Join(err, json.Unmarshal(o.Params, &asked)); err != nil {
			c.t.Error(err)
			continue
		}
		if asked.Webredir != "" {
			if w, err := session.Webredir(c.t.Context(), o.FQDN, o.FQDN); err != nil || w.URL != asked.Webredir {
				c.violated(o.FQDN, "operation %d is DONE, and the redirection is %v, %v", o.ID, w, err)
			}
		}
		if len(asked.Glue) > 0 {
			if has, err := session.Nameservers(c.t.Context(), o.FQDN); err != nil || !slices.Equal(has, asked.Servers) {
				c.violated(o.FQDN, "operation %d is DONE, and the name servers are %v, %v", o.ID, has, err)
			}
		}
	}
}
