package transparency

import (
	"fmt"
	"os"
	"testing"

	"google.golang.org/grpc/grpclog"
)

// failure is what a case of grpc's says when it fails. It says so to grpc's logger, as a fatal error.
type failure string

// attempt runs a case, or some of its calls, and returns how it failed; "" means that it passed.
func attempt(run func()) (failed failure) {
	defer func() {
		switch reason := recover().(type) {
		case nil:
		case failure:
			failed = reason
		default:
			panic(reason)
		}
	}()
	run()
	return ""
}

// caseLogger ends a case that fails, and not the process: its Fatal does not return to grpc, which would exit. Other
// messages are dropped.
type caseLogger struct{}

func (caseLogger) Info(...any)             {}
func (caseLogger) Infoln(...any)           {}
func (caseLogger) Infof(string, ...any)    {}
func (caseLogger) Warning(...any)          {}
func (caseLogger) Warningln(...any)        {}
func (caseLogger) Warningf(string, ...any) {}
func (caseLogger) Error(...any)            {}
func (caseLogger) Errorln(...any)          {}
func (caseLogger) Errorf(string, ...any)   {}

func (caseLogger) Fatal(args ...any)                 { panic(failure(fmt.Sprint(args...))) }
func (caseLogger) Fatalln(args ...any)               { panic(failure(fmt.Sprintln(args...))) }
func (caseLogger) Fatalf(format string, args ...any) { panic(failure(fmt.Sprintf(format, args...))) }

func (caseLogger) V(int) bool { return false }

func TestMain(m *testing.M) {
	grpclog.SetLoggerV2(caseLogger{}) // before grpc does anything, as it asks for
	os.Exit(m.Run())
}
