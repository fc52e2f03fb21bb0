import { execFileSync } from "node:child_process"
import { readFileSync, writeFileSync } from "node:fs"
import { fileURLToPath } from "node:url"

/** `npx tsx bench/readme.ts`: puts a fresh transcript and a fresh benchmark into README.md. */
const root = fileURLToPath(new URL("..", import.meta.url))
const run = (args: string[]) =>
  execFileSync(process.execPath, ["--import", "tsx", ...args], { cwd: root, encoding: "utf8" })
const readme = `${root}/README.md`
const fill = (name: string, text: string) => {
  const between = new RegExp(`(<!-- ${name} -->)[^]*(<!-- /${name} -->)`)
  writeFileSync(
    readme,
    readFileSync(readme, "utf8").replace(between, (_, a, b) => `${a}\n\`\`\`\n${text.trim()}\n\`\`\`\n${b}`),
  )
}
const command = ["generate", "--prompt", "Once upon a time", "--bytes", "400", "--seed", "1"]
fill(
  "transcript",
  `$ npm run generate -- --prompt "Once upon a time" --bytes 400 --seed 1\n\n${run(["main/cli/index.ts", ...command])}`,
)
fill("bench", run(["bench/index.ts", "--rounds", "5"]))
