// Command cloudload measures the practice cloud of a program from outside: it starts `practice serve`, fills its registry,
// registers devices, and has them connected over MQTT and sending. It prints figures beside their marks and ends with code 1
// if one is missed. docs/performance.md has the marks.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"slices"
	"time"
)

// The marks.
const (
	pageMark  = 50 * time.Millisecond // a page of a query, 99 of 100
	groupMark = time.Minute           // all registrations
	sizeMark  = 300                   // MB resident, at most
)

// figure is one line of the result.
type figure struct {
	what, value, mark string
	good              bool
}

func main() {
	program := flag.String("program", "build/release/edgewright", "the program to measure")
	identities := flag.Int("identities", 100_000, "identities in the registry")
	devices := flag.Int("devices", 1_000, "devices that register, connect and send")
	seconds := flag.Int("seconds", 60, "how long they send")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	figures, err := measure(ctx, *program, *identities, *devices, *seconds)
	fmt.Printf("%-52s %-34s %s\n", "", "figure, or median / 99 % / slowest", "mark")
	for _, f := range figures {
		word := "held"
		if !f.good {
			word = "MISSED"
		}
		fmt.Printf("%-52s %-34s %-22s %s\n", f.what, f.value, f.mark, word)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "cloudload:", err)
		os.Exit(1)
	}
	if slices.ContainsFunc(figures, func(f figure) bool { return !f.good }) {
		os.Exit(1)
	}
}

// measure gives the figures that it came to, also when it fails.
func measure(ctx context.Context, program string, identities, devices, seconds int) (figures []figure, err error) {
	folder, err := os.MkdirTemp("", "cloudload")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(folder)
	cloud, err := start(ctx, program, folder)
	if err != nil {
		return nil, err
	}
	defer cloud.stop()
	begin := time.Now()
	if err := cloud.fill(ctx, identities); err != nil {
		return nil, fmt.Errorf("fill the registry: %w", err)
	}
	fmt.Printf("%d identities made in %v by bulk calls, %d MB resident\n", identities, time.Since(begin).Round(time.Second), cloud.resident())
	queried, err := cloud.query(ctx, identities)
	figures = append(figures, queried...)
	if err != nil {
		return figures, fmt.Errorf("query: %w", err)
	}
	registered, keys, err := cloud.register(ctx, devices)
	figures = append(figures, registered)
	if err != nil {
		return figures, fmt.Errorf("register: %w", err)
	}
	fmt.Printf("%d registrations more, %d MB resident\n", devices, cloud.resident())
	sent, err := cloud.send(ctx, keys, seconds)
	figures = append(figures, sent...)
	if err != nil {
		return figures, fmt.Errorf("send: %w", err)
	}
	most := cloud.most()
	return append(figures, figure{"serving process, most resident over all of it", fmt.Sprintf("%d MB", most), fmt.Sprintf("under %d MB", sizeMark), most < sizeMark}), nil
}

// spread tells the median, the 99th percentile and the slowest, and gives the second of them.
func spread(all []time.Duration) (text string, most time.Duration) {
	if len(all) == 0 {
		return "none", 0
	}
	slices.Sort(all)
	ms := func(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }
	most = all[(len(all)-1)*99/100]
	return fmt.Sprintf("%.1f / %.1f / %.1f ms", ms(all[len(all)/2]), ms(most), ms(all[len(all)-1])), most
}
