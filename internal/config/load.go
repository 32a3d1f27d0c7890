package config

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// From says where a configuration is read from: the file, over it the
// environment, over both the flags. Each Load reads it anew.
type From struct {
	File      string            // TOML; "" for none
	Environ   []string          // NAME=value, as os.Environ gives it
	Flags     map[string]string // the flags that were given, by name
	NoTenants bool              // what is said of tenants does not count: the caller brings its own
}

// Loaded is a configuration with all that is known of how it came about.
type Loaded struct {
	Config
	// Warnings are about what works and should not be so.
	Warnings []string

	unread  []error // what could not be read
	blind   bool    // nothing of the file could: what is missing may stand in it
	failed  map[slot]bool
	origins map[slot]origin
}

// origin is where a value came from: default, file, environment or flag, and the
// place in it.
type origin struct{ kind, place string }

func (o origin) String() string {
	if o.kind == "" {
		return "default"
	}
	return o.kind + ", " + o.place
}

// Load reads the configuration. What is wrong with it is for Validate to say,
// all at once.
func (f From) Load() *Loaded {
	l := &Loaded{Config: Default(), failed: map[slot]bool{}, origins: map[slot]origin{}}
	env := map[string]string{}
	for _, pair := range f.Environ {
		name, value, _ := strings.Cut(pair, "=")
		env[name] = value
	}
	doc := &document{}
	if f.File != "" {
		doc = l.read(f.File)
	}
	for i := range settings {
		s := &settings[i]
		at, v := slot{daemon, s.key}, Value{s.field(&l.Config)}
		if raw, ok := doc.top[s.key]; ok {
			l.set(at, origin{"file", doc.place(at)}, setTOML(v.field, raw))
		}
		if text, ok := env[s.variable()]; ok {
			l.set(at, origin{"environment", s.variable()}, v.Set(text))
		}
		if text, ok := f.Flags[flagOf(s.key)]; ok {
			l.set(at, origin{"flag", "--" + flagOf(s.key)}, v.Set(text))
		}
	}
	if !f.NoTenants {
		l.readTenants(doc, env)
		l.readSecrets(f.File, env)
	}
	l.suspect(env)
	return l
}

// set notes where a value came from, and why it could not be taken.
func (l *Loaded) set(at slot, from origin, err error) {
	l.origins[at] = from
	if err != nil {
		l.fail(at, from, err)
	}
}

func (l *Loaded) fail(at slot, from origin, err error) {
	l.failed[at] = true
	l.origins[at] = from
	l.unread = append(l.unread, errors.New(l.describe(problem{at, err.Error()})))
}

// describe says what is wrong, with the place to mend it.
func (l *Loaded) describe(p problem) string {
	where := l.origins[p.slot].place
	if where == "" { // of a key that is missing
		where = l.origins[slot{p.tenant, "name"}].place
	}
	if where != "" {
		where += ": "
	}
	if p.tenant != daemon {
		where += "tenant " + l.called(p.tenant) + ": "
	}
	return where + p.key + ": " + p.text
}

// Validate says everything that is wrong at once: what could not be read, and
// the values that are out of question, each with its place.
func (l *Loaded) Validate() error {
	wrong := slices.Clone(l.unread)
	if l.blind {
		return errors.Join(wrong...)
	}
	for _, p := range l.problems() {
		if !l.failed[p.slot] {
			wrong = append(wrong, errors.New(l.describe(p)))
		}
	}
	return errors.Join(wrong...)
}

// readTenants takes the tenants of the file, or the one that variables and
// systemd's credentials make. Two sources would be one too many: who put a
// secret into the wrong one would not see which counts.
func (l *Loaded) readTenants(doc *document, env map[string]string) {
	var named []string
	for _, k := range tenantKeys {
		if k.env && env[k.variable()] != "" {
			named = append(named, k.variable())
		}
	}
	if len(doc.tenants) > 0 && len(named) > 0 {
		l.unread = append(l.unread, fmt.Errorf("%s: the file names tenants and the environment another (%s); keep one of the two",
			doc.place(slot{daemon, "tenant"}), strings.Join(named, ", ")))
	}
	for i, raw := range doc.tenants {
		l.Tenants = append(l.Tenants, l.newTenant())
		for j := range tenantKeys {
			k := &tenantKeys[j]
			if value, ok := raw[k.key]; ok {
				at := slot{i, k.key}
				l.set(at, origin{"file", doc.place(at)}, setTOML(k.field(&l.Tenants[i]), value))
			}
		}
	}
	if len(doc.tenants) > 0 {
		return
	}
	t := l.newTenant()
	t.Name = "default"
	l.Tenants = []Tenant{t}
	given := false
	for i := range tenantKeys {
		k := &tenantKeys[i]
		if text, from := k.fromEnvironment(env); text != "" {
			l.set(slot{0, k.key}, from, Value{k.field(&l.Tenants[0])}.Set(text))
			given = true
		}
	}
	if !given {
		l.Tenants = nil
	}
}

// fromEnvironment is a key's variable, or the credential of systemd that stands
// in for it: v5-token for v5_token_file where neither has a variable.
func (r *row[T]) fromEnvironment(env map[string]string) (text string, from origin) {
	if !r.env {
		return "", origin{}
	}
	if text := env[r.variable()]; text != "" || r.fills == "" || env[strings.TrimSuffix(r.variable(), "_FILE")] != "" {
		return text, origin{"environment", r.variable()}
	}
	name := flagOf(strings.TrimSuffix(r.key, "_file"))
	if path := credential(env, name); path != "" {
		return path, origin{"systemd credential", name}
	}
	return "", origin{}
}

// suspect warns of variables that look like a slip of the pen. They are no
// errors: an orchestrator sets GATEWAY_... for a service named gateway.
func (l *Loaded) suspect(env map[string]string) {
	known := []string{"GATEWAY_CONFIG"}
	for _, s := range settings {
		known = append(known, s.variable())
	}
	for _, k := range tenantKeys {
		if k.env {
			known = append(known, k.variable())
		}
	}
	for _, name := range slices.Sorted(maps.Keys(env)) {
		if !strings.HasPrefix(name, "GATEWAY_") || slices.Contains(known, name) {
			continue
		}
		if near := nearest(name, known); distance(name, near) == 1 {
			l.Warnings = append(l.Warnings, fmt.Sprintf("%s is no variable of the gateway; %s is", name, near))
		}
	}
}
