package v5

import "github.com/sony/gobreaker/v2"

// State is how busy the client is at this moment.
type State struct {
	Waiting  int // requests that wait for their turn
	InFlight int // requests under way
	// Refusing: requests are refused with ErrOpen since v5 does not answer, all
	// but one now and then that finds out.
	Refusing bool
}

// State is cheap.
func (c *Client) State() State {
	s := State{Refusing: c.breaker.circuit.State() != gobreaker.StateClosed}
	c.queue.mu.Lock()
	defer c.queue.mu.Unlock()
	s.Waiting = c.queue.waiting
	s.InFlight = c.queue.inFlight[foreground] + c.queue.inFlight[background]
	return s
}
