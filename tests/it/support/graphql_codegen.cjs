// The public code generator `@graphql-codegen` on a schema and an operation for each of its root fields, and
// the TypeScript compiler, strict, on what it makes. Called with the schema's file and an empty folder; prints
// how many operations there were, or what is wrong, and ends with 1 when anything is.

const { readFileSync, writeFileSync } = require("node:fs");
const { spawnSync } = require("node:child_process");
const { dirname, join } = require("node:path");
const { buildSchema, getNamedType, isLeafType, isRequiredArgument, parse, validate, validateSchema } = require("graphql");
const { codegen } = require("@graphql-codegen/core");
const typescript = require("@graphql-codegen/typescript");
const operations = require("@graphql-codegen/typescript-operations");

const [schemaFile, folder] = process.argv.slice(2);
/** Levels of records inside of records. */
const DEPTH = 4;

/** All that can be asked of a type without arguments. */
function selection(type, depth) {
  const named = getNamedType(type);
  if (isLeafType(named)) {
    return "";
  }
  const fields = Object.values(named.getFields())
    .filter((field) => !field.args.some(isRequiredArgument))
    .filter((field) => depth > 0 || isLeafType(getNamedType(field.type)))
    .map((field) => field.name + selection(field.type, depth - 1));
  return ` { ${["__typename", ...fields].join(" ")} }`;
}

/** An operation for a root field, every argument a variable. */
function operation(kind, field) {
  const variables = field.args.map((argument) => `$${argument.name}: ${argument.type}`).join(", ");
  const given = field.args.map((argument) => `${argument.name}: $${argument.name}`).join(", ");
  const parts = [`${kind} Of_${field.name}`, variables && `(${variables})`, ` { ${field.name}`, given && `(${given})`];
  return `${parts.join("")}${selection(field.type, DEPTH)} }`;
}

async function run() {
  const text = readFileSync(schemaFile, "utf8");
  const schema = buildSchema(text);
  const roots = { query: schema.getQueryType(), mutation: schema.getMutationType(), subscription: schema.getSubscriptionType() };
  const documents = Object.entries(roots)
    .flatMap(([kind, root]) => Object.values(root.getFields()).map((field) => operation(kind, field)))
    .map((document) => parse(document));
  const faults = [...validateSchema(schema), ...documents.flatMap((document) => validate(schema, document))];
  if (faults.length > 0) {
    throw new Error(faults.join("\n"));
  }
  const files = [];
  // Each plugin makes a file that stands by itself: the schema's types, and those of the operations.
  for (const [name, plugin] of Object.entries({ typescript, operations })) {
    const file = join(folder, `${name}.ts`);
    const made = await codegen({
      filename: file,
      schema: parse(text),
      documents: documents.map((document, index) => ({ location: `${index}.graphql`, document })),
      config: { scalars: { BigInt: "number", DateTime: "string", JSON: "unknown" }, strictScalars: true },
      plugins: [{ [name]: {} }],
      pluginMap: { [name]: plugin },
    });
    writeFileSync(file, made);
    files.push(file);
  }
  const compiler = join(dirname(require.resolve("typescript/package.json")), "bin/tsc");
  const options = ["--strict", "--noEmit", "--target", "es2022", "--ignoreConfig"];
  const compiled = spawnSync(process.execPath, [compiler, ...options, ...files], { encoding: "utf8" });
  if (compiled.status !== 0) {
    throw new Error(compiled.stdout + compiled.stderr);
  }
  process.stdout.write(`${documents.length}\n`);
}

run().catch((error) => {
  console.error(error.message);
  process.exit(1);
});
