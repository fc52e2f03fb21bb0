import { execFileSync } from "node:child_process"
import { fileURLToPath } from "node:url"
import { fill } from "./page.ts"

/**
 * `npx tsx bench/readme.ts [transcript] [bench] [profile]`: puts a fresh transcript, benchmark and profile, or those that
 * are named, into README.md. The benchmark takes a quarter of an hour and wants the machine for itself.
 */
const root = fileURLToPath(new URL("..", import.meta.url))
const run = (args: string[]) =>
  execFileSync(process.execPath, ["--import", "tsx", ...args], { cwd: root, encoding: "utf8" })
const readme = `${root}/README.md`
const command = ["generate", "--prompt", "Once upon a time", "--bytes", "400", "--seed", "1"]
const parts: Record<string, () => string> = {
  transcript: () =>
    `$ npm run generate -- --prompt "Once upon a time" --bytes 400 --seed 1\n\n${run(["main/cli/index.ts", ...command])}`,
  bench: () => run(["bench/index.ts", "--rounds", "5"]),
  profile: () => run(["bench/index.ts", "--profile", "text", "large-mha"]),
}
const wanted = process.argv.slice(2)
for (const [name, make] of Object.entries(parts))
  if (!wanted.length || wanted.includes(name)) fill(readme, name, `\`\`\`\n${make().trim()}\n\`\`\``)
