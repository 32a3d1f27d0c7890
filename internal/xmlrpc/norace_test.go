//go:build !race

package xmlrpc

// raceEnabled tells that sync.Pool drops items on purpose, so that counts of
// allocations mean nothing.
const raceEnabled = false
