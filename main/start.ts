import { spawn } from "node:child_process"
import { existsSync, readFileSync } from "node:fs"
import { fileURLToPath } from "node:url"
import { run } from "./cli/commands.ts"

/** `npm start`: the app in Electron where its binary is, otherwise the same app in this machine's browser. */
const root = fileURLToPath(new URL("..", import.meta.url))
const electron = `${root}node_modules/electron`
const name = existsSync(`${electron}/path.txt`) ? readFileSync(`${electron}/path.txt`, "utf8").trim() : ""
const binary = `${electron}/dist/${name}`

if (name && existsSync(binary))
  spawn(binary, [root], { stdio: "inherit" }).on("exit", (code) => process.exit(code ?? 0))
else {
  process.stdout.write(
    "Electron's binary is not on this machine (npx install-electron fetches it): the app opens in the browser.\n\n",
  )
  await run(["serve"])
}
