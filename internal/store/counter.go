package store

import "encoding/binary"

// LastID is the number that a counter gave out last; 0 before the first.
func (tx *Tx) LastID(counter string) int64 { return GetID(tx, Key(kindCounter, counter)) }

// RaiseID has a counter give out only numbers above last from now on. A counter
// that is there already stays as it is.
func (tx *Tx) RaiseID(counter string, last int64) error {
	if tx.LastID(counter) >= last {
		return nil
	}
	return tx.Put(Key(kindCounter, counter), binary.BigEndian.AppendUint64(nil, uint64(last)))
}

// DomainsPrefix leads to the domains of all tenants.
func DomainsPrefix() []byte { return Key(kindDomain) }
