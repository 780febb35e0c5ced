package main

import (
	"fmt"
	"os"
	"sync"
	"time"

	"github.com/dapr/go-sdk/workflow"
)

var activities = []workflow.Activity{Greet, AddOne, Square, Gate, FailTwice, Repeat, Step}

// Greet greets the person of its input.
func Greet(ctx workflow.ActivityContext) (any, error) {
	var name string
	err := ctx.GetInput(&name)
	return fmt.Sprintf("Hello, %s!", name), err
}

// AddOne returns one more than its input.
func AddOne(ctx workflow.ActivityContext) (any, error) {
	var number int
	err := ctx.GetInput(&number)
	return number + 1, err
}

// Square returns the square of its input.
func Square(ctx workflow.ActivityContext) (any, error) {
	var number int
	err := ctx.GetInput(&number)
	return number * number, err
}

// Repeat returns its input.
func Repeat(ctx workflow.ActivityContext) (any, error) {
	var text string
	err := ctx.GetInput(&text)
	return text, err
}

// gate holds an activity until a case opens it, so that a case can act while a workflow is busy.
type gate struct {
	entered chan struct{}
	opened  chan struct{}
	once    sync.Once
}

var (
	gates      = map[string]*gate{}
	gatesGuard sync.Mutex
)

func gateNamed(name string) *gate {
	gatesGuard.Lock()
	defer gatesGuard.Unlock()
	found, ok := gates[name]
	if !ok {
		found = &gate{entered: make(chan struct{}), opened: make(chan struct{})}
		gates[name] = found
	}
	return found
}

// Gate waits until the gate named by its input is opened.
func Gate(ctx workflow.ActivityContext) (any, error) {
	var name string
	if err := ctx.GetInput(&name); err != nil {
		return nil, err
	}
	here := gateNamed(name)
	here.once.Do(func() { close(here.entered) })
	<-here.opened
	return "open", nil
}

var (
	attempts      = map[string]int{}
	attemptsGuard sync.Mutex
)

func countAttempt(key string) int {
	attemptsGuard.Lock()
	defer attemptsGuard.Unlock()
	attempts[key]++
	return attempts[key]
}

// FailTwice fails at the first and the second attempt for each input.
func FailTwice(ctx workflow.ActivityContext) (any, error) {
	var key string
	if err := ctx.GetInput(&key); err != nil {
		return nil, err
	}
	if attempt := countAttempt(key); attempt < 3 {
		return nil, fmt.Errorf("attempt %d failed", attempt)
	}
	return "third time lucky", nil
}

// Step tells the outside that it runs, and the second one waits until the outside lets it end: that
// is when the file that WFAPP_GO_ON names is there.
func Step(ctx workflow.ActivityContext) (any, error) {
	var name string
	if err := ctx.GetInput(&name); err != nil {
		return nil, err
	}
	say(map[string]any{"step": name, "attempt": countAttempt(name)})
	if name == "second" {
		for !goOn() {
			time.Sleep(20 * time.Millisecond)
		}
	}
	return name, nil
}

func goOn() bool {
	_, err := os.Stat(os.Getenv("WFAPP_GO_ON"))
	return err == nil
}
