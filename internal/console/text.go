package console

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// number is with thin groups of three, as in 12 345.
func number[N int | int64 | uint64](n N) string {
	text := strconv.FormatInt(int64(n), 10)
	for i := len(text) - 3; i > 0 && text[i-1] != '-'; i -= 3 {
		text = text[:i] + "\u202f" + text[i:]
	}
	return text
}

// percent is a share of all, "-" of nothing.
func percent(part, all uint64) string {
	switch {
	case all == 0:
		return "–"
	case part == 0:
		return "0 %"
	case part*100 < all:
		return "< 1 %"
	}
	return strconv.FormatUint(part*100/all, 10) + " %"
}

func size(bytes int64) string {
	value, units := float64(bytes), []string{"B", "KiB", "MiB", "GiB", "TiB"}
	for value >= 1024 && len(units) > 1 {
		value, units = value/1024, units[1:]
	}
	if units[0] == "B" || value >= 100 {
		return fmt.Sprintf("%.0f %s", value, units[0])
	}
	return fmt.Sprintf("%.1f %s", value, units[0])
}

// span is a length of time in its two largest units.
func span(d time.Duration) string {
	switch d = max(d, 0); {
	case d < time.Second:
		return strconv.Itoa(int(d.Milliseconds())) + " ms"
	case d < time.Minute:
		return strconv.Itoa(int(d.Seconds())) + " s"
	case d < time.Hour:
		return two(d, time.Minute, "min", time.Second, "s", d < 10*time.Minute)
	case d < 24*time.Hour:
		return two(d, time.Hour, "h", time.Minute, "min", true)
	}
	return two(d, 24*time.Hour, "d", time.Hour, "h", d < 10*24*time.Hour)
}

func two(d, large time.Duration, name string, small time.Duration, part string, both bool) string {
	text := fmt.Sprintf("%d %s", d/large, name)
	if rest := d % large / small; both && rest > 0 {
		text += fmt.Sprintf(" %d %s", rest, part)
	}
	return text
}

// list is "a, b and c".
func list(words []string) string {
	if len(words) < 2 {
		return strings.Join(words, "")
	}
	return strings.Join(words[:len(words)-1], ", ") + " and " + words[len(words)-1]
}

// count is "1 domain" or "3 domains".
func count(n uint64, word string) string {
	if n == 1 {
		return "1 " + word
	}
	return number(n) + " " + word + "s"
}
