package translate

import (
	"slices"

	"v3gate/internal/zones"
)

// firstSight are the requests of what looks at a zone that is one domain's own,
// the first time, and of what copies its active version a minute after the last; inPlace those of what changes records of an active version.
var (
	firstSight = []string{"(GET /domain/domains/{d})", "(GET /livedns/domains/{d}/records)"}
	inPlace    = append(slices.Clone(firstSight),
		"(for each domain of the active version: PUT or DELETE /livedns/domains/{d}/records/{name}/{type}, or PUT /livedns/domains/{d}/records)")
)

// zoneRows are the rows of domain.zone.*.
func zoneRows() []Row {
	return []Row{
		Method("domain.zone.info", zoneInfo, Row{Support: Full, Class: Read, Key: KeyRequired, Divergences: []int{66}, V5: firstSight}),
		Listing("domain.zone.list", zoneOptions(), zoneList, Row{Support: Local, Class: Read, Key: KeyRequired, Divergences: []int{50, 51, 53, 54, 66}}),
		Listing("domain.zone.count", zoneOptions(), zoneCount, Row{Support: Local, Class: Read, Key: KeyRequired, Divergences: []int{50, 51, 53, 54, 66}}),
		Writing("domain.zone.create", zoneCreateCheck, carry[zoneOut], Row{Support: Local, Class: Write, Key: KeyRequired}),
		Writing("domain.zone.clone", zoneCloneCheck, carry[zoneOut], Row{Support: Full, Class: Write, Key: KeyRequired, Divergences: []int{66}, V5: firstSight}),
		Writing("domain.zone.update", zoneUpdateCheck, carry[zoneOut], Row{Support: Full, Class: Write, Key: KeyRequired, V5: firstSight}),
		Writing("domain.zone.delete", zoneDeleteCheck, carry[bool], Row{Support: Local, Class: Write, Key: KeyRequired, Divergences: []int{71}}),
		Writing("domain.zone.set", zoneSetCheck, carry[domainOut], Row{Support: Full, Class: Write, Key: KeyRequired, Divergences: []int{34, 66, 68, 69},
			V5: []string{"GET /domain/domains/{d}", "GET /livedns/domains/{d}/records", "(POST /domain/domains/{d}/livedns)",
				"PUT /livedns/domains/{d}/records"}}),
		Method("domain.zone.version.count", versionCount, Row{Support: Full, Class: Read, Key: KeyRequired, Divergences: []int{66}, V5: firstSight}),
		Method("domain.zone.version.list", versionList, Row{Support: Full, Class: Read, Key: KeyRequired, Divergences: []int{66}, V5: firstSight}),
		Writing("domain.zone.version.new", versionNewCheck, carry[int64], Row{Support: Full, Class: Write, Key: KeyRequired, Divergences: []int{66}, V5: firstSight}),
		Writing("domain.zone.version.delete", versionDeleteCheck, carry[bool], Row{Support: Full, Class: Write, Key: KeyRequired, Divergences: []int{71}, V5: firstSight}),
		Writing("domain.zone.version.set", versionSetCheck, carry[bool], Row{Support: Full, Class: Write, Key: KeyRequired, Divergences: []int{68, 69},
			V5: []string{"for each linked domain:", "(GET /domain/domains/{d})", "GET /livedns/domains/{d}/records", "PUT /livedns/domains/{d}/records"}}),
		optionsOf(zones.ListOptions(), Method("domain.zone.record.list", recordList,
			Row{Support: Full, Class: Read, Key: KeyRequired, Divergences: []int{50, 51, 53, 54, 66, 67}, V5: firstSight})),
		optionsOf(zones.ListOptions(), Method("domain.zone.record.count", recordCount,
			Row{Support: Full, Class: Read, Key: KeyRequired, Divergences: []int{50, 51, 53, 54, 66, 67}, V5: firstSight})),
		Writing("domain.zone.record.add", recordAddCheck, carry[recordOut],
			Row{Support: Full, Class: Write, Key: KeyRequired, Divergences: []int{67, 68, 69}, V5: inPlace}),
		Writing("domain.zone.record.update", recordUpdateCheck, carry[[]recordOut],
			Row{Support: Full, Class: Write, Key: KeyRequired, Divergences: []int{67, 68, 69}, V5: inPlace}),
		optionsOf(zones.DeleteOptions(), Writing("domain.zone.record.delete", recordDeleteCheck, carry[int64],
			Row{Support: Full, Class: Write, Key: KeyRequired, Divergences: []int{50, 51, 54, 68, 69}, V5: inPlace})),
		Writing("domain.zone.record.set", recordSetCheck, carry[[]recordOut],
			Row{Support: Full, Class: Write, Key: KeyRequired, Divergences: []int{67, 68, 69, 70}, V5: inPlace}),
	}
}
