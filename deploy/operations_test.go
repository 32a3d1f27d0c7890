package deploy

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// fence is a fenced block of a document.
type fence struct {
	line int // of its first fence
	kind string
	text string
}

func fences(t *testing.T, text string) (all []fence) {
	t.Helper()
	var open *fence
	for n, line := range strings.Split(text, "\n") {
		switch {
		case open == nil && strings.HasPrefix(line, "```"):
			open = &fence{line: n + 1, kind: line[3:]}
		case open != nil && line == "```":
			all, open = append(all, *open), nil
		case open != nil:
			open.text += line + "\n"
		}
	}
	if open != nil {
		t.Fatalf("the block of line %d has no end", open.line)
	}
	return all
}

// test/walk.sh runs the blocks of docs/operations.md by their kinds: one of
// another kind would be run by nobody, and so would a command in a console block.
func TestTheWalkThroughIsRun(t *testing.T) {
	run := []string{"sh", "sh build", "sh packages"}
	var before fence
	kinds := map[string]int{}
	for _, f := range fences(t, read(t, "../docs/operations.md")) {
		kinds[f.kind]++
		switch {
		case slices.Contains(run, f.kind):
		case f.kind == "text":
			if !strings.HasPrefix(before.kind, "sh") {
				t.Errorf("line %d: the output of no commands that are run", f.line)
			}
			if strings.Trim(f.text, ".\n") == "" {
				t.Errorf("line %d: nothing is compared", f.line)
			}
		case f.kind == "console":
			for command := range strings.Lines(f.text) {
				if name, _, _ := strings.Cut(command, " "); !slices.Contains([]string{"scp", "docker", "kubectl"}, name) {
					t.Errorf("line %d: %s can be run", f.line, name)
				}
			}
		default:
			t.Errorf("line %d: nothing runs a block of the kind %q", f.line, f.kind)
		}
		before = f
	}
	if kinds["sh"] < 20 || kinds["text"] < 15 || kinds["console"] > 4 {
		t.Errorf("%v", kinds)
	}
}

// What the documents for operators lead to is there, headings included.
func TestLinksOfOperatorsLeadSomewhere(t *testing.T) {
	link := regexp.MustCompile(`\]\(([^):]+)\)`)
	for _, doc := range []string{"../README.md", "README.md", "../docs/operations.md", "../docs/operations-store.md", "../docs/clients.md"} {
		links := link.FindAllStringSubmatch(read(t, doc), -1)
		for _, l := range links {
			path, heading, _ := strings.Cut(l[1], "#")
			target := filepath.Join(filepath.Dir(doc), path)
			if path == "" {
				target = doc
			}
			if _, err := os.Stat(target); err != nil {
				t.Errorf("%s: %v", doc, err)
			} else if heading != "" && !slices.Contains(headings(read(t, target)), heading) {
				t.Errorf("%s: %s has no heading %s", doc, target, heading)
			}
		}
		if doc != "../docs/operations-store.md" && len(links) == 0 {
			t.Errorf("%s: no links", doc)
		}
	}
}

// headings are the anchors of a document: lower case, words joined by dashes.
func headings(text string) (all []string) {
	drop := regexp.MustCompile(`[^a-z0-9 _-]`)
	for _, m := range regexp.MustCompile(`(?m)^#+ (.*)$`).FindAllStringSubmatch(text, -1) {
		all = append(all, strings.ReplaceAll(drop.ReplaceAllString(strings.ToLower(m[1]), ""), " ", "-"))
	}
	return all
}

// The backup's copies are of the store that the package's gateway has, and only
// the daily ones are removed.
func TestBackupUnit(t *testing.T) {
	unit := directives(read(t, "systemd/v3gate-backup.service"))
	start, after := strings.Join(unit["[Service]ExecStart"], "\n"), strings.Join(unit["[Service]ExecStartPost"], "\n")
	store := regexp.MustCompile(`(?m)^store = "(.*)"$`).FindStringSubmatch(read(t, "debian/gateway.toml"))
	if store == nil || !strings.Contains(start, "gateway backup ") || !strings.Contains(start, "--store "+store[1]) {
		t.Errorf("ExecStart is %s, the store %q", start, store)
	}
	if !strings.Contains(start, "/var/backups/v3gate/daily-") || !strings.Contains(after, "/var/backups/v3gate ") || !strings.Contains(after, "-name daily-*.db ") {
		t.Errorf("%s is made and %s removes", start, after)
	}
	if strings.Contains(start, "--force") {
		t.Error("a backup replaces none")
	}
	timer := directives(read(t, "systemd/v3gate-backup.timer"))
	if got := timer["[Timer]Persistent"]; !slices.Equal(got, []string{"yes"}) || len(timer["[Timer]OnCalendar"]) != 1 {
		t.Errorf("the timer is %v", timer)
	}
}
