// Command probe asks, from inside network namespaces of Pods, what becomes of connections. It reads rounds from
// standard input, one JSON object a line, and answers each with one line: for every probe "open" (a TCP handshake
// was completed, a UDP packet came back), "late" (a handshake was, but not by its first packet), "refused" (reset, or ICMP
// says that nobody listens) or "dropped" (nothing came back in time), or "gone" where the asking Pod has no process.
// A connection of protocol "live" is made by the first round that asks for it and asked again by every later one.
package main

import (
	"bufio"
	"encoding/json"
	"log"
	"os"
	"sync"
	"time"
)

type round struct {
	ID        int    `json:"id"`
	TimeoutMs int    `json:"timeoutMs"`
	Probes    []want `json:"probes"`
}

// want is one probe: From is the UID of a Pod, or "pid:N"; Proto is tcp, udp or live; To an IPv4 address.
type want struct {
	From  string `json:"from"`
	Proto string `json:"proto"`
	To    string `json:"to"`
	Port  int    `json:"port"`
}

type answer struct {
	ID      int      `json:"id"`
	Results []string `json:"results"`
}

func main() {
	lines := bufio.NewScanner(os.Stdin)
	lines.Buffer(nil, 1<<24)
	out := json.NewEncoder(os.Stdout)
	for lines.Scan() {
		var given round
		if err := json.Unmarshal(lines.Bytes(), &given); err != nil {
			log.Fatal(err)
		}
		results := run(given.Probes, time.Duration(given.TimeoutMs)*time.Millisecond)
		if err := out.Encode(answer{given.ID, results}); err != nil {
			return
		}
	}
}

// run makes every socket in the namespace it belongs to, and then waits for all of them together.
func run(wants []want, timeout time.Duration) []string {
	results := make([]string, len(wants))
	bySource := map[string][]int{}
	for index, each := range wants {
		bySource[each.From] = append(bySource[each.From], index)
	}
	namespaces := findNamespaces(bySource)
	var attempts []*attempt
	for source, indexes := range bySource {
		namespace, there := namespaces[source]
		if !there {
			for _, index := range indexes {
				results[index] = "gone"
			}
			continue
		}
		enter(namespace, func() {
			for _, index := range indexes {
				if wants[index].Proto == "live" {
					hold(wants[index], timeout)
				} else {
					attempts = append(attempts, begin(wants[index], &results[index]))
				}
			}
		})
		namespace.Close()
	}
	var asking sync.WaitGroup
	for index, each := range wants {
		if each.Proto == "live" && results[index] == "" {
			asking.Go(func() { results[index] = ask(held[each], timeout) })
		}
	}
	wait(attempts, timeout)
	asking.Wait()
	return results
}
