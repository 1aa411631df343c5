// The mutants of a TypeScript source: single small changes of meaning. Types are left alone, and so are the texts of errors.
import { parseSync } from "@swc/core";

const OPERATORS = {
  "<": ["<=", ">="],
  "<=": ["<", ">"],
  ">": [">=", "<="],
  ">=": [">", "<"],
  "===": ["!=="],
  "!==": ["==="],
  "&&": ["||"],
  "||": ["&&"],
  "+": ["-"],
  "-": ["+"],
  "*": ["/"],
  "/": ["*"],
  "%": ["*"],
  "&": ["|"],
  "|": ["&"],
  "^": ["&"],
  "<<": [">>>"],
  ">>>": ["<<"],
  ">>": ["<<"],
  "+=": ["-="],
  "-=": ["+="],
  "|=": ["&="],
  "&=": ["|="],
  "++": ["--"],
  "--": ["++"],
};
const NAMES = { min: "max", max: "min", ceil: "floor", floor: "ceil", some: "every", every: "some" };
/** Of these the expression inside is code, the rest is type. */
const CASTS = ["TsAsExpression", "TsNonNullExpression", "TsSatisfiesExpression", "TsConstAssertion"];
const TYPES = ["typeAnnotation", "returnType", "typeParameters", "typeParams", "typeArguments", "superTypeParams"];

/** Each as {start, end, text}: these bytes of the source are to be replaced by this text. */
export function mutantsOf(source) {
  const bytes = Buffer.from(source);
  // The parser counts bytes from a base of its own, which an empty statement put before the source gives away.
  const program = parseSync(`;${source}`, { syntax: "typescript", target: "es2023" });
  const base = program.body[0].span.start + 1;
  const found = [];
  const at = ({ span }) => [span.start - base, span.end - base];
  const textOf = (node) => bytes.subarray(...at(node)).toString();
  const replace = (node, text) => found.push({ start: at(node)[0], end: at(node)[1], text });
  /** The operator stands between two nodes, with blanks and comments around it. */
  const swap = (from, to, operator) => {
    const start = bytes.indexOf(operator, from);
    if (start < 0 || start >= to) return;
    for (const text of OPERATORS[operator] ?? []) found.push({ start, end: start + operator.length, text });
  };
  const force = (test) => ["true", "false"].forEach((text) => void replace(test, text));

  const visitors = {
    BinaryExpression({ left, right, operator }) {
      swap(at(left)[1], at(right)[0], operator);
      if (operator === "??") found.push({ start: at(left)[0], end: at(right)[0], text: "" });
    },
    AssignmentExpression: ({ left, right, operator }) => swap(at(left)[1], at(right)[0], operator),
    UpdateExpression: (node) => swap(...at(node), node.operator),
    UnaryExpression(node) {
      if (node.operator === "!" || node.operator === "-") replace(node, textOf(node.argument));
    },
    IfStatement: ({ test }) => force(test),
    ConditionalExpression: ({ test }) => force(test),
    WhileStatement: ({ test }) => replace(test, "false"),
    ForStatement: ({ test }) => test && replace(test, "false"),
    NumericLiteral: (node) => replace(node, String(node.value + 1)),
    BooleanLiteral: (node) => replace(node, String(!node.value)),
    StringLiteral: (node) => node.value !== "" && replace(node, '""'),
    ExpressionStatement: (node) => replace(node, ";"),
    ContinueStatement: (node) => replace(node, ";"),
    CallExpression({ callee }) {
      const name = callee.type === "MemberExpression" && callee.property.value;
      if (Object.hasOwn(NAMES, name)) replace(callee.property, NAMES[name]);
    },
  };

  const visit = (node) => {
    if (Array.isArray(node)) return node.forEach(visit);
    if (node === null || typeof node !== "object") return;
    if (CASTS.includes(node.type)) return visit(node.expression);
    if (/^(Ts|Import|Export(All|Named))/.test(node.type ?? "")) return;
    if (node.type === "NewExpression" && /Error$/.test(node.callee.value ?? "")) return;
    visitors[node.type]?.(node);
    for (const [key, child] of Object.entries(node)) if (!TYPES.includes(key)) visit(child);
  };
  visit(program.body.slice(1));
  return found.sort((a, b) => a.start - b.start);
}
