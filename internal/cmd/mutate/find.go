package main

import (
	"bytes"
	"fmt"
	"go/ast"
	"go/constant"
	"go/token"
	"go/types"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// finder walks the functions of one file and collects what can be changed in them.
type finder struct {
	*loaded

	name     string
	relative string
	function string
	next     int
	found    []*mutant
	seen     map[string]int
	compared map[ast.Expr]bool // with a constant that is changed, which is as good as changing these
	decided  map[ast.Expr]bool // made true and made false already, of which a negation is no more than half
}

// find returns the mutants of a file, numbered from first.
func (l *loaded) find(name string, first int) ([]*mutant, error) {
	file := l.files[name]
	if file == nil {
		return nil, fmt.Errorf("%s has no file %s", l.dir, name)
	}
	root, err := os.Getwd()
	if err != nil {
		return nil, fmt.Errorf("find the module's root: %w", err)
	}
	relative, err := filepath.Rel(root, filepath.Join(l.dir, name))
	if err != nil {
		return nil, fmt.Errorf("find the module's root: %w", err)
	}
	f := &finder{
		loaded: l, name: name, relative: filepath.ToSlash(relative), next: first,
		seen: map[string]int{}, decided: map[ast.Expr]bool{}, compared: map[ast.Expr]bool{},
	}
	for _, declaration := range file.Decls {
		function, ok := declaration.(*ast.FuncDecl)
		if !ok || function.Body == nil {
			continue
		}
		f.function = nameOf(function)
		ast.Inspect(function.Body, f.visit)
	}
	return f.found, nil
}

// nameOf is "Evaluator.Check" for a method.
func nameOf(function *ast.FuncDecl) string {
	if function.Recv == nil {
		return function.Name.Name
	}
	of := function.Recv.List[0].Type
	if star, ok := of.(*ast.StarExpr); ok {
		of = star.X
	}
	if name, ok := of.(*ast.Ident); ok {
		return name.Name + "." + function.Name.Name
	}
	return function.Name.Name
}

// text is a part of the source on one line.
func (f *finder) text(from, to token.Pos) string {
	const most = 90
	text := strings.Join(strings.Fields(f.code(from, to)), " ")
	if runes := []rune(text); len(runes) > most {
		text = string(runes[:most]) + "…"
	}
	return text
}

// code is a part of the source as it stands.
func (f *finder) code(from, to token.Pos) string {
	return string(f.sources[f.name][f.offset(from):f.offset(to)])
}

func (f *finder) offset(at token.Pos) int { return f.fset.Position(at).Offset }

// around adds a mutant. In before and after, # stands for its number.
func (f *finder) around(from, to token.Pos, change, before, after string) *mutant {
	number := strconv.Itoa(f.next)
	made := &mutant{
		number: f.next, file: f.relative, line: f.fset.Position(from).Line, function: f.function, change: change,
		start: f.offset(from), end: f.offset(to),
		before: strings.ReplaceAll(before, "#", number), after: strings.ReplaceAll(after, "#", number),
	}
	made.again = f.seen[made.key()]
	f.seen[f.relative+": "+f.function+": "+change]++
	f.found = append(f.found, made)
	f.next++
	return made
}

func (f *finder) replace(node ast.Node, with, before, after string) {
	f.around(node.Pos(), node.End(), f.text(node.Pos(), node.End())+" → "+with, before, after)
}

// ifCompiles adds a mutant unless the compiler refuses it: a return that a function must end with, say.
func (f *finder) ifCompiles(node ast.Node, change, before, after string) {
	made := f.around(node.Pos(), node.End(), change, before, after)
	if !f.compiles(f.name, made) {
		f.found = f.found[:len(f.found)-1]
		f.seen[f.relative+": "+f.function+": "+change]--
		f.next--
	}
}

func (f *finder) visit(node ast.Node) bool { //nolint:cyclop // one case for each kind of node
	switch node := node.(type) {
	case *ast.GenDecl:
		return false // constants have to stay constant
	case *ast.BlockStmt:
		f.statements(node.List)
	case *ast.CaseClause:
		f.statements(node.Body)
	case *ast.IfStmt:
		f.condition(node.Cond)
	case *ast.ForStmt:
		f.condition(node.Cond)
	case *ast.RangeStmt:
		f.around(node.Body.Lbrace+1, node.Body.Lbrace+1, f.text(node.Pos(), node.Body.Lbrace)+" → no round",
			" if mutant(#) { break }; ", "")
		f.around(node.Body.Rbrace, node.Body.Rbrace, f.text(node.Pos(), node.Body.Lbrace)+" → one round",
			"; if mutant(#) { break }; ", "")
	case *ast.SwitchStmt:
		if node.Tag == nil {
			for _, clause := range node.Body.List {
				f.conditions(clause)
			}
		}
	case *ast.ReturnStmt:
		for _, result := range node.Results {
			f.value(result)
			if f.isError(result) {
				f.replace(result, "nil", "mutantPick[error](#, ", ", nil)")
			}
		}
	case *ast.AssignStmt:
		f.assignment(node)
	case *ast.KeyValueExpr:
		f.value(node.Value)
		ast.Inspect(node.Value, f.visit)
		return false // the key may have to be a constant
	case *ast.CallExpr:
		return f.call(node)
	case *ast.BinaryExpr:
		f.binary(node)
	case *ast.UnaryExpr:
		if node.Op == token.NOT && !f.decided[node] {
			f.replace(node, f.text(node.X.Pos(), node.X.End()), "((", ") != mutant(#))")
		}
	case ast.Expr:
		return f.constant(node)
	}
	return true
}

// statements deletes each that can be deleted.
func (f *finder) statements(list []ast.Stmt) {
	for _, statement := range list {
		deleted := "delete: " + f.text(statement.Pos(), statement.End())
		const before, after = "if !mutant(#) { ", " }"
		switch statement := statement.(type) {
		case *ast.ReturnStmt:
			f.ifCompiles(statement, deleted, before, after)
		case *ast.AssignStmt:
			if statement.Tok != token.DEFINE {
				f.ifCompiles(statement, deleted, before, after)
			}
		case *ast.ExprStmt, *ast.IncDecStmt, *ast.DeferStmt, *ast.BranchStmt, *ast.GoStmt, *ast.SendStmt:
			f.ifCompiles(statement, deleted, before, after)
		}
	}
}

func (f *finder) assignment(node *ast.AssignStmt) {
	if node.Tok == token.OR_ASSIGN || node.Tok == token.ADD_ASSIGN {
		left, right := f.code(node.Lhs[0].Pos(), node.Lhs[0].End()), f.code(node.Rhs[0].Pos(), node.Rhs[0].End())
		plain := left + " = " + right
		f.ifCompiles(node, f.text(node.Pos(), node.End())+" → "+plain, "if mutant(#) { "+plain+" } else { ", " }")
	}
	if len(node.Lhs) == len(node.Rhs) {
		for _, value := range node.Rhs {
			f.value(value)
		}
	}
}

// conditions are those of a case in a switch that has no value of its own.
func (f *finder) conditions(clause ast.Stmt) {
	if one, ok := clause.(*ast.CaseClause); ok {
		for _, condition := range one.List {
			f.condition(condition)
		}
	}
}

// condition is always met, and never.
func (f *finder) condition(node ast.Expr) {
	if node == nil || f.decided[node] {
		return
	}
	f.decided[node] = true
	f.replace(node, "true", "(mutant(#) || (", "))")
	f.replace(node, "false", "(!mutant(#) && (", "))")
}

// value is what a truth value can be instead.
func (f *finder) value(node ast.Expr) {
	typed := f.info.Types[node]
	basic, ok := typed.Type.(*types.Basic)
	switch {
	case !ok || basic.Info()&types.IsBoolean == 0:
	case typed.Value != nil:
		f.replace(node, strconv.FormatBool(!constant.BoolVal(typed.Value)), "(", " != mutant(#))")
	default:
		f.condition(node)
	}
}

func (f *finder) isError(node ast.Expr) bool {
	typed := f.info.Types[node]
	return typed.Type != nil && types.Identical(typed.Type, types.Universe.Lookup("error").Type()) && !typed.IsNil()
}

func (f *finder) binary(node *ast.BinaryExpr) {
	left, right := f.code(node.X.Pos(), node.X.End()), f.code(node.Y.Pos(), node.Y.End())
	if f.info.Types[node.Y].Value != nil && f.info.Types[node.X].Value == nil {
		f.compared[node.X] = true
	}
	with := func(op token.Token) string { return op.String() + " in " + f.text(node.Pos(), node.End()) }
	equal := "(" + left + ") == (" + right + ")"
	switch node.Op {
	case token.LAND:
		f.replace(node.X, "true in "+f.text(node.Pos(), node.End()), "(mutant(#) || (", "))")
		f.replace(node.Y, "true in "+f.text(node.Pos(), node.End()), "(mutant(#) || (", "))")
		f.around(node.Pos(), node.End(), "&& → "+with(token.LOR),
			"((", ") || mutant(#) && (("+left+") || ("+right+")))")
	case token.LOR:
		f.replace(node.X, "false in "+f.text(node.Pos(), node.End()), "(!mutant(#) && (", "))")
		f.replace(node.Y, "false in "+f.text(node.Pos(), node.End()), "(!mutant(#) && (", "))")
		f.around(node.Pos(), node.End(), "|| → "+with(token.LAND),
			"((", ") && (!mutant(#) || ("+left+") && ("+right+")))")
	case token.EQL, token.NEQ:
		if f.decided[node] {
			return
		}
		f.around(node.Pos(), node.End(), "negate "+f.text(node.Pos(), node.End()), "((", ") != mutant(#))")
	case token.LSS, token.GTR:
		f.around(node.Pos(), node.End(), "also equal in "+f.text(node.Pos(), node.End()),
			"((", ") || mutant(#) && "+equal+")")
	case token.LEQ, token.GEQ:
		f.around(node.Pos(), node.End(), "not equal in "+f.text(node.Pos(), node.End()),
			"((", ") && !(mutant(#) && "+equal+"))")
	case token.ADD, token.SUB, token.OR, token.AND:
		f.arithmetic(node, left, right)
	default:
	}
}

func (f *finder) arithmetic(node *ast.BinaryExpr, left, right string) {
	typed := f.info.Types[node]
	if typed.Value != nil || !isInteger(typed.Type) {
		return
	}
	other := map[token.Token]token.Token{
		token.ADD: token.SUB, token.SUB: token.ADD, token.OR: token.AND, token.AND: token.OR,
	}[node.Op].String()
	f.ifCompiles(node, f.text(node.Pos(), node.End())+" → "+other,
		"mutantPick(#, ", ", ("+left+") "+other+" ("+right+"))")
}

// call changes a length by one. The values of its arguments are changed like others.
func (f *finder) call(node *ast.CallExpr) bool {
	if name, ok := node.Fun.(*ast.Ident); ok {
		switch name.Name {
		case "len":
			if !f.compared[node] {
				f.byOne(node, true)
			}
			return false
		case "make":
			return false // the room that is reserved is no fault, and a wrong length panics at once
		}
	}
	for _, argument := range node.Args {
		f.value(argument)
	}
	return true
}

// constant changes a number by one: up and down, or to the next of an enumeration.
func (f *finder) constant(node ast.Expr) bool {
	typed, ok := f.info.Types[node]
	if array, isArray := node.(*ast.ArrayType); isArray {
		ast.Inspect(array.Elt, f.visit)
		return false // the length has to stay constant
	}
	if !ok || typed.Value == nil || !isInteger(typed.Type) {
		return true
	}
	switch node.(type) {
	case *ast.BasicLit, *ast.Ident, *ast.SelectorExpr:
		_, named := typed.Type.(*types.Named)
		f.byOne(node, !named)
		return false
	default:
		return true
	}
}

func isInteger(typ types.Type) bool {
	if typ == nil {
		return false
	}
	basic, ok := typ.Underlying().(*types.Basic)
	return ok && basic.Info()&types.IsInteger != 0
}

func (f *finder) byOne(node ast.Expr, down bool) {
	typ := types.TypeString(types.Default(f.info.Types[node].Type), func(other *types.Package) string {
		if other == f.pkg {
			return ""
		}
		return other.Name()
	})
	text := f.text(node.Pos(), node.End())
	line := f.text(node.Pos(), node.End())
	if at := f.enclosing(node); at != "" {
		line = at
	}
	f.ifCompiles(node, text+" → +1 in "+line, "mutantAdd["+typ+"](#, 1, ", ")")
	if down {
		f.ifCompiles(node, text+" → -1 in "+line, "mutantAdd["+typ+"](#, -1, ", ")")
	}
}

// enclosing is the line of source on which a constant stands, which tells it from others.
func (f *finder) enclosing(node ast.Node) string {
	source := f.sources[f.name]
	at := f.offset(node.Pos())
	begin := bytes.LastIndexByte(source[:at], '\n') + 1
	end := bytes.IndexByte(source[at:], '\n') + at
	line, _, _ := strings.Cut(string(source[begin:end]), " //")
	return strings.Join(strings.Fields(line), " ")
}
