// Verifies x-ion-signature in Go 1.19 or newer. See docs/VERIFYING.md for when you need it.
//
// The signed text holds nested values as Python's str() writes them, so this reads JSON as Python does
// (integers of any size, 1.0 apart from 1, keys in their order) and writes it as Python 3.11 does.
package main

import (
	"crypto/hmac"
	"crypto/sha1"
	"encoding/base64"
	"fmt"
	"math"
	"net/http"
	"net/url"
	"regexp"
	"sort"
	"strconv"
	"strings"
)

// VerifyIon tells whether x-ion-signature is that of the body. uri: as it was registered, letter by letter.
func VerifyIon(secret, uri string, header http.Header, body []byte) (genuine bool) {
	defer func() {
		if recover() != nil {
			genuine = false // no JSON, or nothing that Python could have signed
		}
	}()
	mac := hmac.New(sha1.New, []byte(secret))
	mac.Write([]byte(ionMessage(uri, ionData(header.Get("content-type"), string(body)))))
	expected := mac.Sum(nil)
	for _, name := range []string{"x-ion-signature", "x-ion-signature-previous"} {
		given, err := base64.StdEncoding.DecodeString(header.Get(name))
		genuine = err == nil && hmac.Equal(given, expected) || genuine
	}
	return genuine
}

// The members of `data`, out of whatever the delivery travelled in.
func ionData(contentType, body string) []ionMember {
	if contentType == "application/x-www-form-urlencoded" {
		form, err := url.ParseQuery(body)
		if err != nil {
			panic(err)
		}
		body = form.Get("payload")
	}
	event := ionRead(body).members
	if contentType == "application/cloudevents+json" {
		event = ionFind(event, "data").members
	}
	return ionFind(event, "data").members
}

func ionFind(members []ionMember, name string) ionValue {
	for _, member := range members {
		if string(member.key) == name {
			return member.value
		}
	}
	panic("no " + name)
}

func ionMessage(uri string, data []ionMember) string {
	signed := [][2]string{}
	for _, member := range data {
		if member.value.repr == "None" {
			continue
		}
		text := member.value.repr
		if member.value.isText {
			text = ionText(member.value.text)
		}
		signed = append(signed, [2]string{ionText(member.key), text})
	}
	sort.Slice(signed, func(i, j int) bool { return signed[i][0] < signed[j][0] }) // by code point, as UTF-8 is
	message, mark := uri, "?"
	for _, member := range signed {
		message += mark + member[0] + ":" + member[1]
		mark = "&"
	}
	if len(signed) == 0 {
		message += mark
	}
	return message
}

// Half a surrogate pair has no UTF-8.
func ionText(text []rune) string {
	for _, code := range text {
		if code >= 0xd800 && code < 0xe000 {
			panic("half a surrogate pair")
		}
	}
	return string(text)
}

// One JSON text: its repr in Python, with the text of a string and the members of an object.
type ionValue struct {
	repr    string
	isText  bool
	text    []rune
	members []ionMember
}

type ionMember struct {
	key   []rune
	value ionValue
}

var (
	ionSpace  = regexp.MustCompile(`^[ \t\n\r]*`)
	ionNumber = regexp.MustCompile(`^(-?)(0|[1-9][0-9]*)(?:\.([0-9]+))?(?:[eE]([-+]?[0-9]+))?`)
	ionWord   = regexp.MustCompile(`^(true|false|null|NaN|-?Infinity)`)
	ionWords  = map[string]string{"true": "True", "false": "False", "null": "None",
		"NaN": "nan", "Infinity": "inf", "-Infinity": "-inf"}
)

type ionReader struct{ text string }

func ionRead(text string) ionValue {
	reader := ionReader{text}
	value := reader.value()
	if reader.next(); reader.text != "" {
		panic("no JSON")
	}
	return value
}

// What comes after white space; 0 at the end.
func (r *ionReader) next() byte {
	r.text = r.text[len(ionSpace.FindString(r.text)):]
	if r.text == "" {
		return 0
	}
	return r.text[0]
}

func (r *ionReader) take(mark byte) bool {
	if r.next() != mark {
		return false
	}
	r.text = r.text[1:]
	return true
}

func (r *ionReader) expect(mark byte) {
	if !r.take(mark) {
		panic("no JSON")
	}
}

func (r *ionReader) value() ionValue {
	switch r.next() {
	case '"':
		text := r.str()
		return ionValue{repr: ionQuote(text), isText: true, text: text}
	case '{':
		return r.object()
	case '[':
		return r.list()
	}
	if word := ionWord.FindString(r.text); word != "" {
		r.text = r.text[len(word):]
		return ionValue{repr: ionWords[word]}
	}
	number := ionNumber.FindStringSubmatch(r.text)
	r.text = r.text[len(number[0]):] // panics where there is none
	switch {
	case number[3]+number[4] != "":
		return ionValue{repr: number[1] + ionFloat(number[2], number[3], number[4])}
	case number[2] == "0":
		return ionValue{repr: "0"}
	}
	return ionValue{repr: number[0]}
}

func (r *ionReader) list() ionValue {
	items := []string{}
	r.expect('[')
	for more := !r.take(']'); more; {
		items = append(items, r.value().repr)
		if more = r.take(','); !more {
			r.expect(']')
		}
	}
	return ionValue{repr: "[" + strings.Join(items, ", ") + "]"}
}

func (r *ionReader) object() ionValue {
	members := []ionMember{}
	places := map[string]int{} // a repeated key keeps its first place and its last value, as in Python
	r.expect('{')
	for more := !r.take('}'); more; {
		r.next()
		key := r.str()
		r.expect(':')
		value := r.value()
		shown := ionQuote(key)
		if place, known := places[shown]; known {
			members[place].value = value
		} else {
			places[shown] = len(members)
			members = append(members, ionMember{key, value})
		}
		if more = r.take(','); !more {
			r.expect('}')
		}
	}
	shown := make([]string, len(members))
	for place, member := range members {
		shown[place] = ionQuote(member.key) + ": " + member.value.repr
	}
	return ionValue{repr: "{" + strings.Join(shown, ", ") + "}", members: members}
}

var ionEscapes = map[byte]rune{'"': '"', '\\': '\\', '/': '/', 'b': '\b', 'f': '\f', 'n': '\n', 'r': '\r', 't': '\t'}

// A string's code points; halves of surrogate pairs that stand alone stay what they are.
func (r *ionReader) str() []rune {
	text := []rune{}
	r.expect('"')
	for r.text[0] != '"' {
		if r.text[0] != '\\' {
			length := strings.IndexAny(r.text, `"\`)
			text = append(text, []rune(r.text[:length])...)
			r.text = r.text[length:]
			continue
		}
		mark := r.text[1]
		r.text = r.text[2:]
		code, known := ionEscapes[mark]
		if !known {
			if mark != 'u' {
				panic("no JSON")
			}
			code = ionHex(r.text[:4])
			r.text = r.text[4:]
			if code >= 0xd800 && code < 0xdc00 && strings.HasPrefix(r.text, `\u`) {
				if low := ionHex(r.text[2:6]); low >= 0xdc00 && low < 0xe000 {
					code = 0x10000 + (code-0xd800)<<10 + low - 0xdc00
					r.text = r.text[6:]
				}
			}
		}
		text = append(text, code)
	}
	r.text = r.text[1:]
	return text
}

func ionHex(digits string) rune {
	code, err := strconv.ParseUint(digits, 16, 16)
	if err != nil {
		panic(err)
	}
	return rune(code)
}

func ionFloat(whole, fraction, power string) string {
	// With the point in front, since an exponent is not read beyond 10,000.
	all := strings.TrimLeft(whole+fraction, "0")
	places, _ := strconv.ParseInt(power, 10, 32) // out of range: the largest
	places += int64(len(all) - len(fraction))
	text := fmt.Sprintf("0.%se%d", strings.TrimRight(all, "0")+"0", places)
	number, _ := strconv.ParseFloat(text, 64) // out of range: infinite, as in Python
	if math.IsInf(number, 0) {
		return "inf"
	}
	shortest := strconv.FormatFloat(number, 'e', -1, 64) // 1.5e+07
	mantissa, power, _ := strings.Cut(shortest, "e")
	exponent, _ := strconv.Atoi(power)
	if exponent < -4 || exponent >= 16 {
		return shortest
	}
	digits := strings.Replace(mantissa, ".", "", 1)
	if exponent < 0 {
		return "0." + strings.Repeat("0", -exponent-1) + digits
	}
	if len(digits) <= exponent+1 {
		return digits + strings.Repeat("0", exponent+1-len(digits)) + ".0"
	}
	return digits[:exponent+1] + "." + digits[exponent+1:]
}

func ionQuote(text []rune) string {
	mark := '\''
	if strings.ContainsRune(string(text), '\'') && !strings.ContainsRune(string(text), '"') {
		mark = '"'
	}
	var out strings.Builder
	out.WriteRune(mark)
	for _, code := range text {
		switch {
		case code == mark || code == '\\':
			out.WriteRune('\\')
			out.WriteRune(code)
		case code == '\t':
			out.WriteString(`\t`)
		case code == '\n':
			out.WriteString(`\n`)
		case code == '\r':
			out.WriteString(`\r`)
		case code > 31 && code < 127 || code > 127 && ionPrintable(int(code)):
			out.WriteRune(code)
		case code < 0x100:
			fmt.Fprintf(&out, `\x%02x`, code)
		case code < 0x10000:
			fmt.Fprintf(&out, `\u%04x`, code)
		default:
			fmt.Fprintf(&out, `\U%08x`, code)
		}
	}
	out.WriteRune(mark)
	return out.String()
}

// Above ASCII, Python 3.11 prints a character if an odd number of edges stands at it or before it.
func ionPrintable(code int) bool {
	return sort.SearchInts(ionEdges, code+1)%2 == 1
}

// Where Unicode 14 turns from not printable to printable and back: distances in base 36, from 127 on.
var ionEdges = func() []int {
	edges, edge := []int{}, 127
	for _, text := range strings.Fields(ionDistances) {
		distance, _ := strconv.ParseInt(text, 36, 32)
		edge += int(distance)
		edges = append(edges, edge)
	}
	return edges
}()

const ionDistances = `
y c 1 ju 2 6 4 7 1 1 1 k 1 b1 1 12 2 1e 2 3 1 1j 8 r 4 6 h m 1 5c 1 1c 2 1n 2 2t e 1n 2 1d 2 f 1 s 2 1 1
b 5 v 9 22 1 4h 1 8 2 2 2 m 1 7 1 1 3 4 2 9 2 2 2 4 8 1 4 2 1 5 2 p 2 3 1 6 4 2 2 m 1 7 1 2 1 2 1 2 2 1
1 5 4 2 2 3 3 1 7 4 1 1 7 h a 3 1 9 1 3 1 m 1 7 1 2 1 5 2 a 1 3 1 3 2 1 f 4 2 c 7 7 1 3 1 8 2 2 2 m 1 7
1 2 1 5 2 9 2 2 2 3 7 3 4 2 1 5 2 i a 2 1 6 3 3 1 4 3 2 1 1 1 2 3 2 3 3 3 c 4 5 3 3 1 4 2 1 6 1 e l 5 d
1 3 1 n 1 g 2 9 1 3 1 4 7 2 1 3 2 1 2 4 2 a 7 m 1 3 1 n 1 a 1 5 2 9 1 3 1 4 7 2 6 2 1 4 2 a 1 2 d d 1 3
1 1f 1 3 1 6 4 g 2 q 1 3 1 i 3 o 1 9 1 1 2 7 3 1 4 6 1 1 1 8 6 a 2 3 c 1m 4 t 11 2 1 1 1 5 1 o 1 1 1 n 2
5 1 1 1 6 2 a 2 4 w 20 1 10 4 13 1 10 1 f 1 d 11 5i 1 1 5 1 2 ah 1 4 2 7 1 1 1 4 2 15 1 4 2 x 1 4 2 7 1
1 1 4 2 f 1 1l 1 4 2 1v 2 w 3 q 6 2e 2 6 2 hs 1 s 3 2h 7 m 9 o 9 k c d 1 3 1 2 c 2m 2 a 6 a 6 e 1 b 6 2h
7 17 5 1y a v 1 c 4 c 4 1 3 16 2 5 b 18 4 q 6 b 3 1q 2 1t 1 t 2 b 6 a 6 e 2 v 1d 25 3 1b 1 38 8 1o 3 f 3
1o 7 17 2 b 8 17 5 eu 2 6 2 12 2 6 2 8 1 1 1 1 1 1 1 v 2 1h 1 f 1 e 2 6 1 j 2 3 1 9 h o 8 1b h 2 2 r 1 d
3 x f x f 3w 4 if p b l 1ec 2 w 1 9p 5 19 1 1 5 1 2 1k 7 2 e o 9 7 1 7 1 7 1 7 1 7 1 7 1 7 1 7 1 3i y q
1 2h c 5y q c 5 1r 1 2e 2 2v 5 17 1 2m 1 2c c 1b 1 mlp 3 1j 9 9o k 54 8 5n 5 2 1 1 1 5 o 1n 3 a 6 1k 8
1y 8 c 6 38 b u 3 26 1 b 4 x 1 1j 9 e 2 a 2 2v o s a 6 2 6 2 6 9 7 1 7 1 1o 4 3i 2 a 6 8mc c n 4 1d 6is
a6 2 2y 12 7 c 5 5 q 1 5 1 1 1 2 1 2 1 3h g cd 2 1i 7 1 w 16 6 1f 1 j 1 4 4 5 1 3r 4 5a 3 6 2 6 2 6 2 3
3 7 1 7 d 2 2 c 1 q 1 j 1 2 1 f 2 e y 3f 5 3 4 19 3 2g 1 d 3 1 1b 1a 3m t 3 1d f s 4 10 9 u 5 17 5 u 1
11 4 e 16 4e 2 a 6 10 4 10 4 14 8 1g b c 1 f 1 7 1 2 1 b 1 f 1 7 1 2 1v 8n 9 m a 8 o 6 1 16 1 9 1x 6 2 1
1 18 1 2 3 1 2 n 1 20 8 9 1c j 1 2 5 x 3 r 5 1 1s 1k 4 k 2 1e 1 2 5 8 1 3 1 t 2 3 4 a 7 9 7 1s w 13 4 c
9 1i 3 t 2 r 5 q 7 4 c 7 28 21 1j 1f d 1f 7 1a 8 a 86 v 1 16 1 3 2 2 26 14 8 16 m q 12 s k n 9 26 4 10 9
1q 1 5 d p 7 a 6 1h 1 i 8 13 9 2o 1 k b i 1 18 1t 7 1 1 1 4 1 f 1 b 6 1n 5 a 6 4 1 8 2 2 2 m 1 7 1 2 1 5
1 a 2 2 2 3 2 1 6 1 5 7 2 7 3 5 3v 2k 1 5 u 20 8 a 4m 1i 2 12 y 1x b a 6 d j 1m 6 a 1i r 2 f 4 n 55 1o
2s 2b c 8 2 1 2 8 1 2 1 u 1 2 2 c 9 a 1y 8 2 1a 2 b r 20 8 2b d 21 7b 9 1 19 1 e a t 3 w 2 m 1 e 21 7 1
2 1 18 3 1 1 2 1 9 8 a 6 6 1 2 1 11 1 2 1 6 7 a 8m p 53 1 f 1e d pn 2u 33 1 5 b 5g 218 2r d tr 34h g7
6nt ft 7 v 1 a 4 29 1 a 6 u 2 6 a 1y a a 1 7 1 l 5 j j4 2j 2t 23 4 1l 7 h 1s 5 b 2 e 4qg 8 ye 16 9 6w7 4
1 7 1 2 1 83 19 3 h 4 8 b0 1s4 2z 5 d 3 9 7 a 2 4 3mo 1a 2 n 9 38 1o 6u a 13 2 22 8 34 l 1y 4a k c 2f 9
p 3r 2d 1 1z 1 2 2 1 2 2 2 4 1 c 1 1 1 7 1 1t 1 4 2 8 1 7 1 s 1 4 1 5 1 1 3 7 1 9g 2 84 2 ji f 5 1 f uo
v 69 7 1 h 2 7 1 2 1 5 5x 19 3 e 2 a 4 2 8w v h 1m 5 1 yo 7 1 4 1 2 1 f 1 5h 2 g 15 24 4 a 4 2 lt 1w 24
1p 5e 4 1 r 1 2 1 1 2 1 1 a 1 4 1 1 1 1 6 1 4 1 1 1 1 1 1 3 1 2 1 1 2 1 1 1 1 1 1 1 1 1 1 2 1 1 2 4 1 7
1 4 1 4 1 1 1 a 1 h 5 3 1 5 1 h 1g 2 7i 18 4 2s c f 2 f 1 f 1 11 a 4u 1k t d 18 4 9 7 2 e 6 4a rc 5 g 3
d 3 38 c 2h 7 c 4 1 f c 4 1k 8 a 6 14 8 u 2 2 26 9g c e 2 5 3 5 3 7 9 t 3 b 5 6 a a 6 8 8 7 9 43 1 1j 11
a sm wyo w 37d 7 66 2 4g2 e 5rl 2e7 f2 15u 3t7 fcmt 6o
`
