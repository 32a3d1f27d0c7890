package main

import (
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"time"

	"v3gate/internal/gateway"
)

// zoneColumns are those of the file, in any order.
var zoneColumns = []string{"zone_id", "zone_name", "version", "active", "domains", "name", "type", "ttl", "value"}

// zonesOfCSV reads zones from a file of records. Errors name the line.
func zonesOfCSV(in io.Reader) ([]gateway.ImportedZone, error) {
	r := csv.NewReader(in)
	head, err := r.Read()
	if err != nil {
		return nil, fmt.Errorf("read CSV: %w", err)
	}
	at := map[string]int{}
	for i, column := range head {
		column = strings.TrimPrefix(strings.ToLower(strings.TrimSpace(column)), "\ufeff")
		if _, twice := at[column]; twice || !slices.Contains(zoneColumns, column) {
			return nil, fmt.Errorf("read CSV: column %q is there twice, or none of %s", column, strings.Join(zoneColumns, ", "))
		}
		at[column] = i
	}
	for _, column := range zoneColumns {
		if _, ok := at[column]; !ok {
			return nil, fmt.Errorf("read CSV: column %s is missing", column)
		}
	}
	var list []gateway.ImportedZone
	for {
		row, err := r.Read()
		if errors.Is(err, io.EOF) {
			return list, nil
		}
		if err == nil {
			list, err = addRow(list, func(column string) string { return strings.TrimSpace(row[at[column]]) })
		}
		if err != nil {
			line, _ := r.FieldPos(0)
			return nil, fmt.Errorf("read CSV: line %d: %w", line, err)
		}
	}
}

// addRow adds one line to the zones read until now.
func addRow(list []gateway.ImportedZone, cell func(string) string) ([]gateway.ImportedZone, error) {
	numbers := map[string]int64{}
	for _, column := range []string{"zone_id", "version", "ttl"} {
		text := cell(column)
		if column == "ttl" && text == "" {
			text = "10800"
		}
		n, err := strconv.ParseInt(text, 10, 64)
		if err != nil {
			return nil, fmt.Errorf("%s %q is no number", column, text)
		}
		numbers[column] = n
	}
	id, version := numbers["zone_id"], numbers["version"]
	i := slices.IndexFunc(list, func(z gateway.ImportedZone) bool { return z.ID == id })
	if i < 0 {
		i, list = len(list), append(list, gateway.ImportedZone{ID: id, Name: cell("zone_name"), Updated: time.Now()})
	}
	z := &list[i]
	if z.Name != cell("zone_name") {
		return nil, fmt.Errorf("zone %d is called %q here and %q before", id, cell("zone_name"), z.Name)
	}
	for _, fqdn := range strings.Fields(strings.ToLower(cell("domains"))) {
		if fqdn = strings.TrimSuffix(fqdn, "."); !slices.Contains(z.Domains, fqdn) {
			z.Domains = append(z.Domains, fqdn)
		}
	}
	if active, err := strconv.ParseBool(cell("active")); err != nil {
		return nil, fmt.Errorf("active %q is neither 1 nor 0", cell("active"))
	} else if active && z.Active != 0 && z.Active != version {
		return nil, fmt.Errorf("versions %d and %d of zone %d are both active", z.Active, version, id)
	} else if active {
		z.Active = version
	}
	v := slices.IndexFunc(z.Versions, func(v gateway.ImportedVersion) bool { return v.N == version })
	if v < 0 {
		v, z.Versions = len(z.Versions), append(z.Versions, gateway.ImportedVersion{N: version, Created: time.Now()})
	}
	if cell("type") != "" {
		z.Versions[v].Records = append(z.Versions[v].Records, gateway.ImportedRecord{
			Name: cell("name"), Type: cell("type"), Value: cell("value"), TTL: numbers["ttl"]})
	}
	return list, nil
}
