// Gives the verdicts of the page's Go functions. Standard input: a case a line, fields in base64 with tabs between:
// secret, URI, body, and the headers' names and values. Standard output: a line for each, "1" or "0" for
// webhook-signature and for x-ion-signature.
package main

import (
	"bufio"
	"encoding/base64"
	"fmt"
	"net/http"
	"os"
	"strings"
)

func main() {
	lines := bufio.NewScanner(os.Stdin)
	lines.Buffer(nil, 64<<20)
	for lines.Scan() {
		fields := strings.Split(lines.Text(), "\t")
		for place, field := range fields {
			bytes, err := base64.StdEncoding.DecodeString(field)
			if err != nil {
				panic(err)
			}
			fields[place] = string(bytes)
		}
		header := http.Header{}
		for place := 3; place < len(fields); place += 2 {
			header.Set(fields[place], fields[place+1])
		}
		secret, uri, body := fields[0], fields[1], []byte(fields[2])
		fmt.Println(digit(VerifyStandard(secret, header, body)), digit(VerifyIon(secret, uri, header, body)))
	}
}

func digit(verdict bool) int {
	if verdict {
		return 1
	}
	return 0
}
