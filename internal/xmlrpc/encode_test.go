package xmlrpc

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"flag"
	"math"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// update rewrites the golden files from what Python writes, never from what this
// package writes.
var update = flag.Bool("update", false, "rewrite golden files from python3's xmlrpc.client")

const fixtures = "../../testdata/fixtures/wire"

// golden is one document: how it is made here, how Python is told to make it,
// and the file that holds its bytes.
type golden struct {
	file   string
	encode func() ([]byte, error)
	python string // an expression giving the text of the document
}

// answer is a golden for a response holding one value.
func answer(file string, v Value, python string) golden {
	return golden{file, func() ([]byte, error) { return AppendResponse(nil, v) },
		"x.dumps((" + python + ",), methodresponse=True, allow_none=True)"}
}

// fault is a golden for a fault.
func fault(file string, code int, text, python string) golden {
	return golden{file, func() ([]byte, error) { return AppendFault(nil, code, text), nil },
		"x.dumps(x.Fault(" + python + "), methodresponse=True)"}
}

// call is a golden for a request.
func call(file, method, python string, params ...Value) golden {
	return golden{file, func() ([]byte, error) { return AppendCall(nil, method, params...) },
		"x.dumps(" + python + ", '" + method + "', allow_none=True)"}
}

// sequence gives the bytes 0, 1, 2 ... n-1.
func sequence(n int) []byte {
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(i)
	}
	return b
}

// goldens covers every kind, in the layout clients grep.
func goldens() []golden {
	paris := time.FixedZone("CEST", 2*3600)
	doubles, list := []Value{}, []string{}
	for _, d := range []struct {
		f      float64
		python string
	}{
		{0, "0.0"}, {math.Copysign(0, -1), "-0.0"}, {1, "1.0"}, {0.1, "0.1"}, {-2.5, "-2.5"}, {15.5, "15.5"}, {1e15, "1e15"},
		{9999999999999998, "9999999999999998.0"}, {1e16, "1e16"}, {1.5e16, "1.5e16"}, {0.0001, "0.0001"}, {0.00001, "1e-05"},
		{1.25e-7, "1.25e-7"}, {1e100, "1e100"}, {5e-324, "5e-324"}, {math.MaxFloat64, "1.7976931348623157e308"},
		{33.12345678900000, "33.123456789"}, {math.Inf(1), "float('inf')"}, {math.Inf(-1), "float('-inf')"}, {math.NaN(), "float('nan')"},
	} {
		doubles, list = append(doubles, Double(d.f)), append(list, d.python)
	}
	return []golden{
		answer("nil.xml", Nil(), "None"),
		answer("int.xml", Int(12345), "12345"),
		answer("int_min.xml", Int(math.MinInt32), "-2147483648"),
		answer("int_max.xml", Int(math.MaxInt32), "2147483647"),
		answer("boolean_true.xml", Bool(true), "True"),
		answer("boolean_false.xml", Bool(false), "False"),
		answer("string.xml", String("example.com"), "'example.com'"),
		answer("string_empty.xml", String(""), "''"),
		answer("string_escapes.xml", String(`a & b < c > d "e" 'f' ]]> &amp;`), `'''a & b < c > d "e" 'f' ]]> &amp;'''`),
		answer("string_utf8.xml", String("Émilie 日本 😀 \u00a0\u2028"), `'Émilie 日本 😀 \u00a0\u2028'`),
		answer("string_lines.xml", String("a\n\tb \n"), `'a\n\tb \n'`),
		answer("double.xml", Array(doubles...), "["+strings.Join(list, ", ")+"]"),
		answer("datetime.xml", DateTime(time.Date(2013, 4, 4, 3, 21, 39, 999, paris)), "datetime.datetime(2013, 4, 4, 3, 21, 39)"),
		answer("datetime_years.xml", Array(DateTime(time.Time{}), DateTime(time.Date(9999, 12, 31, 23, 59, 59, 0, time.UTC))),
			"[datetime.datetime(1, 1, 1), datetime.datetime(9999, 12, 31, 23, 59, 59)]"),
		answer("base64.xml", Base64(sequence(256)), "bytes(range(256))"),
		answer("base64_line.xml", Array(Base64(sequence(56)), Base64(sequence(57)), Base64(sequence(58))),
			"[bytes(range(56)), bytes(range(57)), bytes(range(58))]"),
		answer("base64_empty.xml", Base64(nil), "b''"),
		answer("array.xml", Array(Int(1), Nil(), String("a")), "[1, None, 'a']"),
		answer("array_empty.xml", Array(), "[]"),
		answer("array_nested.xml", Array(Array(), Array(Array(Int(1)))), "[[], [[1]]]"),
		answer("struct.xml", Struct(M("zone_id", Int(4242)), M("autorenew", Nil()), M("fqdn", String("example.com"))),
			"{'zone_id': 4242, 'autorenew': None, 'fqdn': 'example.com'}"),
		answer("struct_empty.xml", Struct(), "{}"),
		answer("struct_nested.xml", Struct(M("a", Struct(M("b", Struct()))), M("c", Array(Struct(M("d", Bool(true)))))),
			"{'a': {'b': {}}, 'c': [{'d': True}]}"),
		answer("struct_names.xml", Struct(M("", Int(0)), M("a & <b>", Int(1)), M("é", Int(2))), "{'': 0, 'a & <b>': 1, 'é': 2}"),
		fault("fault.xml", 510042, "Error on object : OBJECT_DOMAIN (CAUSE_NOTFOUND) [Domain 'example.com' doesn't exist.]",
			`510042, "Error on object : OBJECT_DOMAIN (CAUSE_NOTFOUND) [Domain 'example.com' doesn't exist.]"`),
		fault("fault_escapes.xml", 1, `string '<change me>' does not match "é" & co`, `1, '''string '<change me>' does not match "é" & co'''`),
		fault("fault_empty.xml", 0, "", "0, ''"),
		call("call.xml", "domain.zone.record.add", "('key', 1, 0, {'name': '@', 'value': None})",
			String("key"), Int(1), Int(0), Struct(M("name", String("@")), M("value", Nil()))),
		call("call_empty.xml", "system.listMethods", "()"),
	}
}

// TestGoldensAreAllUsed finds files that no case names any more.
func TestGoldensAreAllUsed(t *testing.T) {
	used := map[string]bool{}
	for _, g := range goldens() {
		used[g.file] = true
	}
	files, err := filepath.Glob(filepath.Join(fixtures, "*.xml"))
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		if !used[filepath.Base(f)] {
			t.Errorf("%s belongs to no case", f)
		}
	}
}

// runPython runs a script with the job as JSON on its standard input, and reads
// its standard output as JSON.
func runPython(t *testing.T, script string, job, result any) {
	t.Helper()
	python := needPython(t)
	in, err := json.Marshal(job)
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(python, "-c", "import base64, datetime, json, sys, xmlrpc.client as x\njob = json.load(sys.stdin)\n"+script)
	cmd.Stdin = bytes.NewReader(in)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("run python3: %v\n%s", err, stderr.Bytes())
	}
	if err := json.Unmarshal(out, result); err != nil {
		t.Fatal(err)
	}
}

// TestGoldensArePythons has Python write every golden document.
func TestGoldensArePythons(t *testing.T) {
	var expressions, documents []string
	for _, g := range goldens() {
		expressions = append(expressions, g.python)
	}
	runPython(t, "json.dump([eval(e) for e in job], sys.stdout)", expressions, &documents)
	for i, g := range goldens() {
		path := filepath.Join(fixtures, g.file)
		if *update {
			if err := os.WriteFile(path, []byte(documents[i]), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		want, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(documents[i], string(want)); diff != "" {
			t.Errorf("%s is not what python writes (-python +file):\n%s", g.file, diff)
		}
	}
}

func TestGoldens(t *testing.T) {
	for _, g := range goldens() {
		t.Run(g.file, func(t *testing.T) {
			want, err := os.ReadFile(filepath.Join(fixtures, g.file))
			if err != nil {
				t.Fatal(err)
			}
			got, err := g.encode()
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(string(want), string(got)); diff != "" {
				t.Errorf("bytes differ (-want +got):\n%s", diff)
			}
		})
	}
}

// TestPythonReadsAndWritesTheSame has Python read documents of random values and
// write them again: the bytes must be the same.
func TestPythonReadsAndWritesTheSame(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	var bodies []string
	for range 300 {
		doc, err := AppendResponse(nil, randomValue(rng, 4))
		if err != nil {
			t.Fatal(err)
		}
		bodies = append(bodies, base64.StdEncoding.EncodeToString(doc))
	}
	var again []string
	runPython(t, `
def again(body):
    params, _ = x.loads(base64.b64decode(body), use_builtin_types=True)
    doc = x.dumps(params, methodresponse=True, allow_none=True)
    return base64.b64encode(doc.encode()).decode()
json.dump([again(b) for b in job], sys.stdout)`, bodies, &again)
	for i := range bodies {
		if bodies[i] != again[i] {
			ours, _ := base64.StdEncoding.DecodeString(bodies[i])
			theirs, _ := base64.StdEncoding.DecodeString(again[i])
			t.Fatalf("python reads something else (-ours +python):\n%s", cmp.Diff(string(ours), string(theirs)))
		}
	}
}

// TestDecodeReadsWhatItWrites checks random values without Python.
func TestDecodeReadsWhatItWrites(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 4))
	for range 2000 {
		checkRoundTrip(t, randomValue(rng, 4))
	}
}

// randomValue makes a value with up to depth levels.
func randomValue(rng *rand.Rand, depth int) Value {
	kinds := 7
	if depth > 0 {
		kinds = 9
	}
	switch rng.IntN(kinds) {
	case 0:
		return Nil()
	case 1:
		return Int(int64(int32(rng.Uint32())))
	case 2:
		return Bool(rng.IntN(2) == 0)
	case 3:
		if f := math.Float64frombits(rng.Uint64()); !math.IsNaN(f) {
			return Double(f)
		}
		return Double(rng.Float64())
	case 4:
		return DateTime(time.Unix(rng.Int64N(lastWallClock), 0))
	case 5:
		return Base64(sequence(rng.IntN(200)))
	case 6:
		return String(randomText(rng))
	case 7:
		items := make([]Value, rng.IntN(5))
		for i := range items {
			items[i] = randomValue(rng, depth-1)
		}
		return Array(items...)
	}
	members := make([]Member, rng.IntN(5))
	for i := range members {
		// A name may not come twice, since Python's dict would keep one.
		members[i] = M(string(rune('a'+i))+randomText(rng), randomValue(rng, depth-1))
	}
	return Struct(members...)
}

// randomText makes a short text with a taste for what has to be escaped.
func randomText(rng *rand.Rand) string {
	var b strings.Builder
	for range rng.IntN(12) {
		b.WriteString([]string{"a", "B", "7", " ", "\n", "\t", "&", "<", ">", "'", `"`, "]]>", "é", "日", "😀", "&amp;", "\u007f", "\u0085"}[rng.IntN(18)])
	}
	return b.String()
}

func TestAppendRefuses(t *testing.T) {
	big, err := DecodeCall([]byte(in("<value><int>99999999999999999999</int></value>")), "", Limits{})
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name string
		v    Value
		want string
	}{
		{"int over 32 bits", Int(math.MaxInt32 + 1), "encode answer: int 2147483648 does not fit 32 bits"},
		{"int under 32 bits", Int(math.MinInt32 - 1), "encode answer: int -2147483649 does not fit 32 bits"},
		{"received int over 64 bits", big.Params[0], "encode answer: int 99999999999999999999 does not fit 32 bits"},
		{"names the member", Struct(M("a", Array(Nil(), Struct(M("id", Int(1<<40)))))), "encode answer: member a: item 1: member id: int 1099511627776 does not fit 32 bits"},
		{"year 10000", DateTime(time.Date(10000, 1, 1, 0, 0, 0, 0, time.UTC)), "encode answer: date 253402300800 s from 1970 is outside the years 1 to 9999"},
		{"year 0", DateTime(time.Date(0, 1, 1, 0, 0, 0, 0, time.UTC)), "encode answer: date -62167219200 s from 1970 is outside the years 1 to 9999"},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, err := AppendResponse([]byte("kept"), c.v)
			if err == nil || err.Error() != c.want || string(got) != "kept" {
				t.Errorf("got %q, %v; want %q", got, err, c.want)
			}
		})
	}
	if _, err := AppendCall(nil, "m", Nil(), Int(1<<40)); err == nil || err.Error() != "encode parameter 1 of m: int 1099511627776 does not fit 32 bits" {
		t.Errorf("call: got %v", err)
	}
}

// TestAppendReplacesWhatXMLForbids: Python would write these bytes, and no client
// could read the answer.
func TestAppendReplacesWhatXMLForbids(t *testing.T) {
	doc, err := AppendResponse(nil, String("a\x00b\x1Bc\xFFd\xED\xA0\x80e\uFFFEf\uFFFDg\rh\x7F"))
	if err != nil {
		t.Fatal(err)
	}
	want := "a\uFFFDb\uFFFDc\uFFFDd\uFFFD\uFFFD\uFFFDe\uFFFDf\uFFFDg\rh\x7F"
	if got := string(doc); !strings.Contains(got, "<string>"+want+"</string>") {
		t.Errorf("got %q", got)
	}
}
