import { spawn } from "node:child_process"
import { fileURLToPath } from "node:url"
import { run } from "./cli/commands.ts"
import { electronBinary } from "./electron/binary.ts"

/** `npm start`: the app in Electron where its binary is, otherwise the same app in this machine's browser. */
const root = fileURLToPath(new URL("..", import.meta.url))
const binary = electronBinary()

if (binary) spawn(binary, [root], { stdio: "inherit" }).on("exit", (code) => process.exit(code ?? 0))
else {
  process.stdout.write(
    "Electron's binary is not on this machine (npx install-electron fetches it): the app opens in the browser.\n\n",
  )
  await run(["serve"])
}
