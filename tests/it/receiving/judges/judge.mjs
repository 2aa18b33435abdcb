// Gives the verdicts of the page's JavaScript functions; the rest is as in judge.py.
import { readFileSync } from "node:fs";
import { verifyIon } from "./ion.mjs";
import { verifyWithLibrary } from "./library.mjs";
import { verifyStandard } from "./verify.mjs";

const verdicts = JSON.parse(readFileSync(0, "utf8")).map(({ secret, uri, headers, body }) => {
  const bytes = Buffer.from(body);
  return {
    standard: verifyStandard(secret, headers, bytes),
    library: verifyWithLibrary(secret, headers, bytes),
    ion: verifyIon(secret, uri, headers, bytes),
  };
});
process.stdout.write(JSON.stringify(verdicts));
