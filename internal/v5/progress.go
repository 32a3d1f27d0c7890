package v5

import (
	"encoding/json"
	"errors"
	"time"
)

// Progress is the state of work that v5 does after it has accepted an order.
type Progress struct {
	Step   string `json:"step"` // BILL, WAIT, RUN, SUPPORT or ERROR (v5 documentation)
	StepNb int    `json:"step_nb"`
	// ErrorType and ErrorLabel are "" while nothing is wrong. The words of
	// ErrorType are not established.
	ErrorType  string `json:"errortype,omitempty"`
	ErrorLabel string `json:"errortype_label,omitempty"`
	// CreatedAt and UpdatedAt are zero in the progress of a registration, which
	// has no dates.
	CreatedAt time.Time `json:"created_at,omitzero"`
	UpdatedAt time.Time `json:"updated_at,omitzero"`
	// InnerStep is a finer step, such as checking_foa_response.
	InnerStep string `json:"inner_step,omitempty"`
	// Params holds what v5 adds, such as answer_new_owner, as text.
	Params map[string]string `json:"params,omitempty"`
	// FOA lists who has been asked to confirm by mail.
	FOA []FOA `json:"foa,omitempty"`
	// Done is true only where v5 answered by a redirect to the finished
	// resource, Location. All other members are then zero.
	Done     bool   `json:"done,omitempty"`
	Location string `json:"location,omitempty"`
}

// FOA is one confirmation mail ("form of authorization").
type FOA struct {
	Email  string `json:"email"`
	Answer string `json:"answer,omitempty"` // "" while there is none
}

// UnmarshalJSON tolerates missing members, null and numbers in quotes: a state
// that cannot be read would leave an operation hanging.
func (p *Progress) UnmarshalJSON(b []byte) error {
	type plain Progress
	wire := struct {
		*plain
		StepNb     laxInt               `json:"step_nb"`
		ErrorType  laxString            `json:"errortype"`
		ErrorLabel laxString            `json:"errortype_label"`
		CreatedAt  laxTime              `json:"created_at"`
		UpdatedAt  laxTime              `json:"updated_at"`
		Params     map[string]laxString `json:"params"`
		FOA        []struct {
			Email  laxString `json:"email"`
			Answer laxString `json:"answer"`
		} `json:"foa"`
	}{plain: (*plain)(p)}
	if err := json.Unmarshal(b, &wire); err != nil {
		return err
	}
	p.StepNb = int(wire.StepNb)
	p.ErrorType = string(wire.ErrorType)
	p.ErrorLabel = string(wire.ErrorLabel)
	p.CreatedAt = time.Time(wire.CreatedAt)
	p.UpdatedAt = time.Time(wire.UpdatedAt)
	p.Params = plainStrings(wire.Params)
	if p.InnerStep == "" {
		p.InnerStep = p.Params["inner_step"]
	}
	p.FOA = nil
	for _, f := range wire.FOA {
		p.FOA = append(p.FOA, FOA{Email: string(f.Email), Answer: string(f.Answer)})
	}
	return nil
}

// decodeProgress reads a progress resource. One without a step says nothing and
// is an error.
func decodeProgress(ans *answer) (*Progress, error) {
	p, err := decode[Progress](ans)
	if err != nil {
		return nil, err
	}
	p.Done, p.Location = false, ""
	if p.Step == "" {
		return nil, ans.unusable(errors.New("read progress: no step"))
	}
	return p, nil
}
