package translate

import (
	"context"
	"strings"
	"sync"

	"v3gate/internal/fault"
	"v3gate/internal/v5"
)

// mailIDs remembers under which uuid v5 knows a mailbox. What is remembered may
// be wrong: v5 then answers 404, or shows another login.
type mailIDs struct {
	mu   sync.RWMutex
	seen map[mailKey]string
}

type mailKey struct{ tenant, fqdn, login string }

const mailIDsMost = 10_000

func (m *mailIDs) get(key mailKey) string {
	m.mu.RLock()
	defer m.mu.RUnlock()
	return m.seen[key]
}

// put remembers an id; "" forgets it.
func (m *mailIDs) put(key mailKey, id string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	switch {
	case id == "":
		delete(m.seen, key)
		return
	case m.seen == nil || len(m.seen) >= mailIDsMost:
		m.seen = map[mailKey]string{}
	}
	m.seen[key] = id
}

// findMailbox checks domain and login, and reads the mailbox with its details.
func (c *Call) findMailbox(ctx context.Context, domain, login string) (fqdn string, m *v5.Mailbox, err error) {
	if err := localPart(fault.Mailbox, "login", login); err != nil {
		return "", nil, err
	}
	if fqdn, err = c.mailDomain(ctx, domain); err != nil {
		return "", nil, err
	}
	m, err = c.mailbox(ctx, fqdn, strings.ToLower(login))
	return fqdn, m, err
}

// mailbox reads the details of a mailbox. v5 wants its uuid, which is found by
// the login once and then remembered.
func (c *Call) mailbox(ctx context.Context, fqdn, login string) (*v5.Mailbox, error) {
	key := mailKey{c.Tenant.Name, fqdn, login}
	id := c.mailIDs.get(key)
	for remembered := id != ""; ; remembered = false {
		if !remembered {
			there, err := c.listedMailbox(ctx, fqdn, login)
			if err != nil {
				return nil, mailError(fqdn, err)
			}
			if there == nil {
				c.mailIDs.put(key, "")
				return nil, noMailbox(fqdn, login)
			}
			id = there.ID
		}
		m, err := c.V5.Mailbox(ctx, fqdn, id)
		switch {
		case remembered && (absent(err) || err == nil && !strings.EqualFold(m.Login, login)):
			continue
		case absent(err):
			return nil, noMailbox(fqdn, login)
		case err != nil:
			return nil, mailError(fqdn, err)
		}
		c.mailIDs.put(key, id)
		return m, nil
	}
}

// listedMailbox finds a mailbox by its login; nil where there is none.
func (c *Call) listedMailbox(ctx context.Context, fqdn, login string) (*v5.Mailbox, error) {
	boxes, err := c.V5.Mailboxes(ctx, fqdn, login)
	for i := range boxes {
		if strings.EqualFold(boxes[i].Login, login) {
			return &boxes[i], nil
		}
	}
	return nil, err
}

func noMailbox(fqdn, login string) error {
	return fault.New(fault.Mailbox, fault.CauseNotFound, "Mailbox '%s@%s' doesn't exist.", clip(login), fqdn)
}
