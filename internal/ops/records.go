package ops

import (
	"encoding/json"

	"v3gate/internal/store"
)

// Records gives what reads of a stored operation what indexes depend on.
func Records() func(value []byte) (store.OperationRecord, error) {
	kinds := kinds()
	return func(value []byte) (store.OperationRecord, error) {
		var op Operation
		if err := json.Unmarshal(value, &op); err != nil {
			return store.OperationRecord{}, err
		}
		kind := kinds[op.Kind]
		return store.OperationRecord{
			ID: op.ID, Tenant: op.Tenant, FQDN: op.FQDN, Once: op.Once, List: op.List,
			AtEnd:  op.Step.AtEnd(),
			Guards: kind.guards() && op.Open(),
			Spent:  op.State == Sending || op.State == Unknown || op.State == Accepted,
			Lists:  op.List != "" && op.Work.Next > 0 && !op.Step.AtEnd(),
			Places: max(0, op.Work.Next-1),
		}, nil
	}
}
