package main

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/dapr/go-sdk/workflow"
)

// The SDK names a workflow and an activity after its function.
var workflows = []workflow.Workflow{
	Hello, Chain, FanOut, Race, Nap, WaitForGo, Collect, Patient, Parent, ParentOfMany,
	CatchingParent, Child, FailingChild, Stubborn, Listen, Failing, Accumulate, Waiting, ParentOfWaiting,
	CallsUnknown, Echo, SlowChain,
}

// Hello calls one activity.
func Hello(ctx *workflow.WorkflowContext) (any, error) {
	var name, greeting string
	if err := ctx.GetInput(&name); err != nil {
		return nil, err
	}
	err := ctx.CallActivity(Greet, workflow.ActivityInput(name)).Await(&greeting)
	return greeting, err
}

// Chain adds one to its input three times.
func Chain(ctx *workflow.WorkflowContext) (any, error) {
	var number int
	if err := ctx.GetInput(&number); err != nil {
		return nil, err
	}
	for range 3 {
		err := ctx.CallActivity(AddOne, workflow.ActivityInput(number)).Await(&number)
		if err != nil {
			return nil, err
		}
	}
	return number, nil
}

// FanOut squares the numbers 1 to its input at the same time and adds them up.
func FanOut(ctx *workflow.WorkflowContext) (any, error) {
	var width int
	if err := ctx.GetInput(&width); err != nil {
		return nil, err
	}
	tasks := workflow.NewTaskSlice(width)
	for i := range tasks {
		tasks[i] = ctx.CallActivity(Square, workflow.ActivityInput(i+1))
	}
	sum := 0
	for _, task := range tasks {
		var square int
		if err := task.Await(&square); err != nil {
			return nil, err
		}
		sum += square
	}
	return sum, nil
}

// Race waits for an event or for half a minute, whichever is first. This release of the SDK has
// no when-any; the race of an event and a timer is its wait with a time-out.
func Race(ctx *workflow.WorkflowContext) (any, error) {
	var answer string
	err := ctx.WaitForExternalEvent("answer", 30*time.Second).Await(&answer)
	return "event: " + answer, err
}

// Nap sleeps for its input in milliseconds.
func Nap(ctx *workflow.WorkflowContext) (any, error) {
	var milliseconds int
	if err := ctx.GetInput(&milliseconds); err != nil {
		return nil, err
	}
	err := ctx.CreateTimer(time.Duration(milliseconds) * time.Millisecond).Await(nil)
	return "slept", err
}

// WaitForGo returns what the event "Go" carried.
func WaitForGo(ctx *workflow.WorkflowContext) (any, error) {
	var payload any
	err := ctx.WaitForExternalEvent("Go", -1).Await(&payload)
	return payload, err
}

// Collect passes the gate named after itself, then waits for three events.
func Collect(ctx *workflow.WorkflowContext) (any, error) {
	if err := ctx.CallActivity(Gate, workflow.ActivityInput(ctx.InstanceID())).Await(nil); err != nil {
		return nil, err
	}
	items := make([]string, 3)
	for i := range items {
		if err := ctx.WaitForExternalEvent("item", -1).Await(&items[i]); err != nil {
			return nil, err
		}
	}
	return items, nil
}

// Listen returns what as many events as its input says have carried.
func Listen(ctx *workflow.WorkflowContext) (any, error) {
	var number int
	if err := ctx.GetInput(&number); err != nil {
		return nil, err
	}
	heard := make([]int, number)
	for i := range heard {
		if err := ctx.WaitForExternalEvent("number", -1).Await(&heard[i]); err != nil {
			return nil, err
		}
	}
	return heard, nil
}

// Patient waits for an event that does not come in time.
func Patient(ctx *workflow.WorkflowContext) (any, error) {
	err := ctx.WaitForExternalEvent("never", 200*time.Millisecond).Await(nil)
	if err == nil {
		return nil, errors.New("the wait ended without a time-out")
	}
	return "timed out: " + err.Error(), nil
}

// Parent returns its child's result; the child's id is left to the server.
func Parent(ctx *workflow.WorkflowContext) (any, error) {
	var result int
	err := ctx.CallChildWorkflow(Child, workflow.ChildWorkflowInput(21)).Await(&result)
	return result, err
}

// ParentOfMany runs five children with ids of its own choice at the same time.
func ParentOfMany(ctx *workflow.WorkflowContext) (any, error) {
	tasks := workflow.NewTaskSlice(5)
	for i := range tasks {
		tasks[i] = ctx.CallChildWorkflow(
			Child,
			workflow.ChildWorkflowInput(i),
			workflow.ChildWorkflowInstanceID(fmt.Sprintf("%s-%d", ctx.InstanceID(), i)),
		)
	}
	results := make([]int, len(tasks))
	for i, task := range tasks {
		if err := task.Await(&results[i]); err != nil {
			return nil, err
		}
	}
	return results, nil
}

// CatchingParent goes on after its child has failed.
func CatchingParent(ctx *workflow.WorkflowContext) (any, error) {
	err := ctx.CallChildWorkflow(FailingChild).Await(nil)
	if err == nil {
		return nil, errors.New("the child did not fail")
	}
	return "caught: " + err.Error(), nil
}

// Child doubles its input.
func Child(ctx *workflow.WorkflowContext) (any, error) {
	var number int
	err := ctx.GetInput(&number)
	return 2 * number, err
}

// FailingChild fails.
func FailingChild(*workflow.WorkflowContext) (any, error) {
	return nil, errors.New("child went wrong")
}

// Stubborn tries an activity until it succeeds. This release of the SDK has no retry policy; the
// loop with a durable pause is what its users write.
func Stubborn(ctx *workflow.WorkflowContext) (any, error) {
	for attempt := 1; ; attempt++ {
		var result string
		input := workflow.ActivityInput(ctx.InstanceID())
		err := ctx.CallActivity(FailTwice, input).Await(&result)
		if err == nil || attempt == 5 {
			return result, err
		}
		if err := ctx.CreateTimer(50 * time.Millisecond).Await(nil); err != nil {
			return nil, err
		}
	}
}

// Failing fails with a message.
func Failing(*workflow.WorkflowContext) (any, error) {
	return nil, errors.New("order 7 is not payable")
}

type accumulated struct {
	Gate  string   `json:"gate"`
	Items []string `json:"items"`
}

// Accumulate takes one event in each generation, and carries those it has not read to the next.
func Accumulate(ctx *workflow.WorkflowContext) (any, error) {
	var state accumulated
	if err := ctx.GetInput(&state); err != nil {
		return nil, err
	}
	if state.Gate != "" {
		if err := ctx.CallActivity(Gate, workflow.ActivityInput(state.Gate)).Await(nil); err != nil {
			return nil, err
		}
	}
	var item string
	if err := ctx.WaitForExternalEvent("item", -1).Await(&item); err != nil {
		return nil, err
	}
	items := append(state.Items, item)
	if item == "last" {
		return strings.Join(items, ","), nil
	}
	ctx.ContinueAsNew(accumulated{Items: items}, true)
	return nil, nil
}

// Waiting waits for ever, unless told to finish.
func Waiting(ctx *workflow.WorkflowContext) (any, error) {
	var result string
	err := ctx.WaitForExternalEvent("finish", -1).Await(&result)
	return result, err
}

// ParentOfWaiting waits for a child that waits for ever.
func ParentOfWaiting(ctx *workflow.WorkflowContext) (any, error) {
	var result string
	id := workflow.ChildWorkflowInstanceID(ctx.InstanceID() + "-child")
	err := ctx.CallChildWorkflow(Waiting, id).Await(&result)
	return result, err
}

// CallsUnknown calls an activity that no worker has.
func CallsUnknown(ctx *workflow.WorkflowContext) (any, error) {
	return nil, ctx.CallActivity("NoSuchActivity").Await(nil)
}

// Echo returns its input by way of an activity.
func Echo(ctx *workflow.WorkflowContext) (any, error) {
	var text, back string
	if err := ctx.GetInput(&text); err != nil {
		return nil, err
	}
	err := ctx.CallActivity(Repeat, workflow.ActivityInput(text)).Await(&back)
	return back, err
}

// SlowChain calls three activities one after the other; the second waits for the outside.
func SlowChain(ctx *workflow.WorkflowContext) (any, error) {
	var steps []string
	for _, step := range []string{"first", "second", "third"} {
		var done string
		if err := ctx.CallActivity(Step, workflow.ActivityInput(step)).Await(&done); err != nil {
			return nil, err
		}
		steps = append(steps, done)
	}
	return strings.Join(steps, ","), nil
}
