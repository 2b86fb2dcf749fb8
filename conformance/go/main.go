// Drives a running server with the official Go SDK. Prints one line for each step that was done.
package main

import (
	"context"
	"fmt"
	"log"
	"os"
	"strings"
	"sync"

	copilot "github.com/github/copilot-sdk/go"
	"github.com/github/copilot-sdk/go/rpc"
)

var sessionID = os.Getenv("SESSION_ID")

func main() {
	log.SetFlags(0)
	ctx := context.Background()
	client := copilot.NewClient(&copilot.ClientOptions{
		Connection: copilot.URIConnection{
			URL:             os.Getenv("RIGHTSEAT_ADDRESS"),
			ConnectionToken: os.Getenv("CONNECTION_TOKEN"),
		},
	})
	if err := client.Start(ctx); err != nil {
		log.Fatal(err)
	}
	phase := firstPhase
	if os.Args[1] == "2" {
		phase = secondPhase
	}
	if err := phase(ctx, client); err != nil {
		log.Fatal(err)
	}
	if err := client.Stop(); err != nil {
		log.Fatal(err)
	}
}

func provider() *copilot.ProviderConfig {
	return &copilot.ProviderConfig{Type: "openai", BaseURL: os.Getenv("MODEL_URL"), APIKey: "a-key"}
}

func firstPhase(ctx context.Context, client *copilot.Client) error {
	status, err := client.GetStatus(ctx)
	if err != nil {
		return fmt.Errorf("status: %w", err)
	}
	fmt.Printf("status: protocol %d\n", status.ProtocolVersion)

	var calls calls
	session, err := client.CreateSession(ctx, &copilot.SessionConfig{
		SessionID:           sessionID,
		Model:               "scripted",
		Streaming:           copilot.Bool(true),
		Provider:            provider(),
		Tools:               []copilot.Tool{calls.tool("weather"), calls.tool("forbidden")},
		OnPermissionRequest: decide,
	})
	if err != nil {
		return fmt.Errorf("create: %w", err)
	}
	if session.SessionID != sessionID {
		return fmt.Errorf("create: expected session %s, got %s", sessionID, session.SessionID)
	}
	fmt.Println("create: the session has the id that was asked for")

	answer, err := ask(ctx, session, "echo forty-two")
	if err != nil {
		return fmt.Errorf("send: %w", err)
	}
	fmt.Println("send:", answer)

	if err := stream(ctx, session); err != nil {
		return fmt.Errorf("stream: %w", err)
	}

	answer, err = ask(ctx, session, "tool weather 1")
	if err != nil {
		return fmt.Errorf("tool: %w", err)
	}
	fmt.Printf("tool: %s after %d call\n", answer, calls.of("weather"))

	if _, err := ask(ctx, session, "tool forbidden 1"); err != nil {
		return fmt.Errorf("permission: %w", err)
	}
	if calls.of("forbidden") != 0 {
		return fmt.Errorf("permission: the tool ran")
	}
	fmt.Println("permission: refused, the tool did not run")

	sessions, err := client.ListSessions(ctx, nil)
	if err != nil {
		return fmt.Errorf("list: %w", err)
	}
	fmt.Printf("list: %d session\n", len(sessions))
	return nil
}

func secondPhase(ctx context.Context, client *copilot.Client) error {
	session, err := client.ResumeSession(ctx, sessionID, &copilot.ResumeSessionConfig{
		Model:               "scripted",
		Streaming:           copilot.Bool(true),
		Provider:            provider(),
		OnPermissionRequest: decide,
	})
	if err != nil {
		return fmt.Errorf("resume: %w", err)
	}
	if err := remembers(ctx, session, "forty-two"); err != nil {
		return fmt.Errorf("resume: %w", err)
	}
	answer, err := ask(ctx, session, "echo and this")
	if err != nil {
		return fmt.Errorf("resume: %w", err)
	}
	fmt.Println("resume:", answer)

	if err := session.Disconnect(); err != nil {
		return fmt.Errorf("disconnect: %w", err)
	}
	fmt.Println("disconnect: ok")

	if err := client.DeleteSession(ctx, sessionID); err != nil {
		return fmt.Errorf("delete: %w", err)
	}
	sessions, err := client.ListSessions(ctx, nil)
	if err != nil {
		return fmt.Errorf("list: %w", err)
	}
	fmt.Printf("delete: %d sessions\n", len(sessions))
	return nil
}

func ask(ctx context.Context, session *copilot.Session, prompt string) (string, error) {
	answer, err := session.SendPromptAndWait(ctx, prompt)
	if err != nil {
		return "", err
	}
	message, ok := answer.Data.(*copilot.AssistantMessageData)
	if !ok {
		return "", fmt.Errorf("expected a message of the assistant, got %T", answer.Data)
	}
	return message.Content, nil
}

func stream(ctx context.Context, session *copilot.Session) error {
	var mutex sync.Mutex
	var deltas []string
	stopCollecting := session.On(func(event copilot.SessionEvent) {
		if delta, ok := event.Data.(*copilot.AssistantMessageDeltaData); ok {
			mutex.Lock()
			defer mutex.Unlock()
			deltas = append(deltas, delta.DeltaContent)
		}
	})
	defer stopCollecting()
	message, err := ask(ctx, session, "words 20")
	if err != nil {
		return err
	}
	mutex.Lock()
	defer mutex.Unlock()
	if joined := strings.Join(deltas, ""); joined != message {
		return fmt.Errorf("expected %q, got %q", message, joined)
	}
	fmt.Printf("stream: %d deltas make up the message\n", len(deltas))
	return nil
}

func remembers(ctx context.Context, session *copilot.Session, content string) error {
	events, err := session.GetEvents(ctx)
	if err != nil {
		return err
	}
	for _, event := range events {
		if message, ok := event.Data.(*copilot.AssistantMessageData); ok && message.Content == content {
			return nil
		}
	}
	return fmt.Errorf("expected %q in the history", content)
}

// decide lets every tool run but the one called "forbidden".
func decide(request copilot.PermissionRequest, _ copilot.PermissionInvocation) (rpc.PermissionDecision, error) {
	if tool, ok := request.(*rpc.PermissionRequestCustomTool); ok && tool.ToolName == "forbidden" {
		return &rpc.PermissionDecisionReject{Feedback: copilot.String("not this one")}, nil
	}
	return &rpc.PermissionDecisionApproveOnce{}, nil
}

// calls counts how often each tool ran.
type calls struct {
	mutex  sync.Mutex
	byName map[string]int
}

type weatherParams struct {
	N     float64 `json:"n"`
	Value string  `json:"value"`
}

func (c *calls) tool(name string) copilot.Tool {
	return copilot.DefineTool(name, name, func(params weatherParams, _ copilot.ToolInvocation) (string, error) {
		c.mutex.Lock()
		defer c.mutex.Unlock()
		if c.byName == nil {
			c.byName = map[string]int{}
		}
		c.byName[name]++
		return "weather " + params.Value, nil
	})
}

func (c *calls) of(name string) int {
	c.mutex.Lock()
	defer c.mutex.Unlock()
	return c.byName[name]
}
