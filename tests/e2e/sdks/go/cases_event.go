package main

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/dapr/go-sdk/workflow"
)

// eventCases are about what reaches a workflow from outside while it runs.
var eventCases = []probe{
	{"race-event", raceEvent},
	{"event-other-case", eventOtherCase},
	{"event-without-payload", eventWithoutPayload},
	{"event-buffered", eventBuffered},
	{"events-in-order", eventsInOrder},
	{"event-timeout", func(ctx context.Context, a *app) error {
		return a.expect(ctx, "Patient", nil, `"timed out: the task was canceled"`)
	}},
	{"continue-as-new", continueAsNew},
	{"suspend-event-resume", suspendEventResume},
	{"suspend-timer-resume", suspendTimerResume},
}

func raceEvent(ctx context.Context, a *app) error {
	id, err := a.start(ctx, "Race", nil)
	if err != nil {
		return err
	}
	if err := a.flow.RaiseEvent(ctx, id, "answer", workflow.WithEventPayload("yes")); err != nil {
		return err
	}
	return a.expectEnd(ctx, id, `"event: yes"`)
}

func eventOtherCase(ctx context.Context, a *app) error {
	id, err := a.start(ctx, "WaitForGo", nil)
	if err != nil {
		return err
	}
	payload := workflow.WithEventPayload(map[string]int{"a": 1})
	if err := a.flow.RaiseEvent(ctx, id, "gO", payload); err != nil {
		return err
	}
	return a.expectEnd(ctx, id, `{"a":1}`)
}

func eventWithoutPayload(ctx context.Context, a *app) error {
	id, err := a.start(ctx, "WaitForGo", nil)
	if err != nil {
		return err
	}
	if err := a.flow.RaiseEvent(ctx, id, "Go"); err != nil {
		return err
	}
	return a.expectEnd(ctx, id, "")
}

func eventBuffered(ctx context.Context, a *app) error {
	id, err := a.start(ctx, "Collect", nil)
	if err != nil {
		return err
	}
	if err := a.raiseBehindGate(ctx, id, id, "one", "two", "three"); err != nil {
		return err
	}
	return a.expectEnd(ctx, id, `["one","two","three"]`)
}

func eventsInOrder(ctx context.Context, a *app) error {
	numbers := make([]int, 50)
	id, err := a.start(ctx, "Listen", len(numbers))
	if err != nil {
		return err
	}
	for i := range numbers {
		numbers[i] = i
		if err := a.flow.RaiseEvent(ctx, id, "number", workflow.WithEventPayload(i)); err != nil {
			return err
		}
	}
	all, err := json.Marshal(numbers)
	if err != nil {
		return err
	}
	return a.expectEnd(ctx, id, string(all))
}

func continueAsNew(ctx context.Context, a *app) error {
	gateName := newID("gate")
	id, err := a.start(ctx, "Accumulate", accumulated{Gate: gateName})
	if err != nil {
		return err
	}
	if err := a.raiseBehindGate(ctx, id, gateName, "one", "two", "three"); err != nil {
		return err
	}
	if err := a.flow.RaiseEvent(ctx, id, "item", workflow.WithEventPayload("last")); err != nil {
		return err
	}
	return a.expectEnd(ctx, id, `"one,two,three,last"`)
}

// raiseBehindGate raises events while the workflow is in an activity, so that it waits for none.
func (a *app) raiseBehindGate(ctx context.Context, id, gateName string, items ...string) error {
	here := gateNamed(gateName)
	select {
	case <-here.entered:
	case <-ctx.Done():
		return fmt.Errorf("the activity before the waits was not handed out: %w", ctx.Err())
	}
	for _, item := range items {
		if err := a.flow.RaiseEvent(ctx, id, "item", workflow.WithEventPayload(item)); err != nil {
			return err
		}
	}
	close(here.opened)
	return nil
}

func suspendEventResume(ctx context.Context, a *app) error {
	id, err := a.start(ctx, "WaitForGo", nil)
	if err != nil {
		return err
	}
	if err := a.flow.SuspendWorkflow(ctx, id, "a look at it first"); err != nil {
		return err
	}
	if err := a.status(ctx, id, workflow.StatusSuspended); err != nil {
		return err
	}
	if err := a.flow.RaiseEvent(ctx, id, "Go", workflow.WithEventPayload("late")); err != nil {
		return err
	}
	if err := a.status(ctx, id, workflow.StatusSuspended); err != nil {
		return err
	}
	if err := a.flow.ResumeWorkflow(ctx, id, "looked"); err != nil {
		return err
	}
	return a.expectEnd(ctx, id, `"late"`)
}

// A timer that is due while the workflow is suspended ends the wait only after the resume.
func suspendTimerResume(ctx context.Context, a *app) error {
	id, err := a.start(ctx, "Nap", 300)
	if err != nil {
		return err
	}
	if err := a.flow.SuspendWorkflow(ctx, id, ""); err != nil {
		return err
	}
	// A longer nap of another workflow ends later than the suspended one would have.
	if err := a.expect(ctx, "Nap", 600, `"slept"`); err != nil {
		return err
	}
	if err := a.status(ctx, id, workflow.StatusSuspended); err != nil {
		return err
	}
	if err := a.flow.ResumeWorkflow(ctx, id, ""); err != nil {
		return err
	}
	return a.expectEnd(ctx, id, `"slept"`)
}
