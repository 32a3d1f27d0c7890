//go:build !race

package gateway

// chaosRace is 1 under the race detector.
const chaosRace = 0
