package deploy

import (
	"debug/buildinfo"
	"debug/elf"
	"os"
	"regexp"
	"strings"
	"testing"
)

// instruction is one line of a Dockerfile, continuations joined.
type instruction struct{ word, rest string }

// stages splits a Dockerfile at its FROM lines, which each stage begins with.
func stages(text string) (all [][]instruction) {
	text = regexp.MustCompile(`(?m)^\s*#.*\n`).ReplaceAllString(text, "")
	text = regexp.MustCompile(`\\\n`).ReplaceAllString(text, " ")
	for line := range strings.Lines(text) {
		word, rest, _ := strings.Cut(strings.TrimSpace(line), " ")
		switch word = strings.ToUpper(word); {
		case word == "":
			continue
		case word == "FROM":
			all = append(all, nil)
		case len(all) == 0:
			all = append(all, nil) // ARG before the first FROM
		}
		all[len(all)-1] = append(all[len(all)-1], instruction{word, strings.TrimSpace(rest)})
	}
	return all
}

// wrongWithDockerfile says what an image for this daemon must not be like.
func wrongWithDockerfile(text string) (wrong []string) {
	bad := func(text string) { wrong = append(wrong, text) }
	all := stages(text)
	if len(all) < 2 {
		return []string{"it does not build in one stage and ship in another"}
	}
	last := map[string]string{}
	for i, s := range all {
		for _, in := range s {
			if in.word == "FROM" && (strings.Contains(in.rest, ":latest") || in.rest != "scratch" && !strings.Contains(in.rest, ":")) {
				bad("FROM " + in.rest + " names no version")
			}
			if (in.word == "ARG" || in.word == "ENV") && regexp.MustCompile(`(?i)(token|key|secret|passw)`).MatchString(in.rest) {
				bad("a secret is named by " + in.word + " " + in.rest + ", which stays in the image")
			}
			if in.word == "ADD" {
				bad("ADD fetches and unpacks; use COPY")
			}
			if i == len(all)-1 {
				last[in.word] += in.rest + "\n"
			}
		}
	}
	for word, want := range map[string]string{
		"FROM":        `^scratch\n$`,
		"USER":        `^[1-9]\d*:[1-9]\d*\n$`, // numeric, so that runAsNonRoot can see that it is not root
		"EXPOSE":      `^8080 9090\n$`,
		"HEALTHCHECK": `CMD \["/gateway", "health"\]\n$`,
		"ENTRYPOINT":  `^\["/gateway"\]\n$`,
		"CMD":         `^\["serve"\]\n$`,
		"VOLUME":      `^/data\n$`,
		"ENV":         `GATEWAY_STORE=/data/`,
		"COPY":        `/etc/ssl/certs/ca-certificates\.crt /etc/ssl/certs/\n`,
	} {
		if !regexp.MustCompile(want).MatchString(last[word]) {
			bad("the last stage's " + word + " is " + strings.TrimSpace(last[word]) + ", want " + want)
		}
	}
	if last["RUN"] != "" {
		bad("the last stage runs something, and has nothing to run it with")
	}
	return wrong
}

func TestDockerfile(t *testing.T) {
	good := read(t, "Dockerfile")
	for _, w := range wrongWithDockerfile(good) {
		t.Error(w)
	}
	for name, change := range map[string][2]string{
		"root":            {"USER 65532:65532", "USER root"},
		"no user":         {"USER 65532:65532", ""},
		"user by name":    {"USER 65532:65532", "USER nobody:nobody"},
		"a distribution":  {"FROM scratch", "FROM debian:12"},
		"latest":          {"golang:1.26", "golang:latest"},
		"token built in":  {"ARG VERSION=dev", "ARG GATEWAY_V5_TOKEN"},
		"no certificates": {"COPY --from=build /etc/ssl/certs/ca-certificates.crt /etc/ssl/certs/", ""},
		"shell check":     {`CMD ["/gateway", "health"]`, "CMD curl -f http://127.0.0.1:9090/readyz"},
		"store elsewhere": {"GATEWAY_STORE=/data/", "GATEWAY_STORE=/tmp/"},
	} {
		spoiled := strings.Replace(good, change[0], change[1], 1)
		if spoiled == good || len(wrongWithDockerfile(spoiled)) == 0 {
			t.Errorf("%s: nothing is said about it", name)
		}
	}
}

// The image has no loader and no libraries, so the binary must not ask for any.
func TestBinaryIsStatic(t *testing.T) {
	path, err := binary()
	if err != nil {
		t.Fatal(err)
	}
	f, err := elf.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	for _, p := range f.Progs {
		if p.Type == elf.PT_INTERP || p.Type == elf.PT_DYNAMIC {
			t.Errorf("it has a %s segment", p.Type)
		}
	}
	if libs, err := f.ImportedLibraries(); err != nil || len(libs) > 0 {
		t.Errorf("it needs %v, %v", libs, err)
	}
	if f.Section(".symtab") != nil || f.Section(".debug_info") != nil || f.Section(".zdebug_info") != nil {
		t.Error("it carries symbols")
	}
	info, err := buildinfo.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	linked := 0
	for _, m := range info.Deps {
		linked++
		// Of x/tools it has txtar, the form of recorded exchanges, and nothing else:
		// TestDependenciesPointOneWay.
		if strings.Contains(m.Path, "yaml") || strings.Contains(m.Path, "md2man") {
			t.Errorf("it links %s, which only tests and tools need", m.Path)
		}
	}
	st, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	if mib := float64(st.Size()) / (1 << 20); mib > 32 {
		t.Errorf("it is %.1f MiB", mib)
	} else {
		t.Logf("static, %.1f MiB, %d modules linked, %s", mib, linked, info.GoVersion)
	}
	if out := gateway(t, "version"); !strings.HasPrefix(out, "gateway 1.2.3-test, ") {
		t.Errorf("VERSION does not reach it: %s", out)
	}
}
