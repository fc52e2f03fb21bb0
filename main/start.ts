import { spawn } from "node:child_process"
import { fileURLToPath } from "node:url"
import { answer } from "./cli/answer.ts"
import { number, parse } from "./cli/arguments.ts"
import { serveApp } from "./cli/commands/serve.ts"
import { electronBinary } from "./electron/binary.ts"
import { buildAll } from "./web/built-page.ts"
import { noDisplay } from "./web/open-browser.ts"

const help = `npm start: the app in Electron where its binary is, else in this machine's browser

  npm start -- --port N        in the browser, at that port of 127.0.0.1
  npm start -- --no-open       in the browser, whose window you open yourself
  npm run megabyte -- --help   the command line
`

/** `npm start`: the app in Electron where that can run, otherwise the same app in this machine's browser. */
export const start = (args: string[]): Promise<void> =>
  answer(async () => {
    if (args.some((word) => word === "--help" || word === "-h")) return void process.stdout.write(help)
    const { values } = parse(args, { port: { type: "string" }, "no-open": { type: "boolean" } }, 0)
    const port = number("port", values.port, 0, { min: 0, max: 65535, whole: true })
    const inBrowser = values.port !== undefined || values["no-open"]
    const binary = electronBinary()
    const hindrance = binary
      ? noElectron()
      : "Electron's binary is not on this machine (npx install-electron fetches it)"
    if (binary && !inBrowser && !hindrance) {
      await buildAll()
      const root = fileURLToPath(new URL("..", import.meta.url))
      spawn(binary, [root], { stdio: "inherit" }).on("exit", (code) => process.exit(code ?? 0))
    } else {
      if (!inBrowser) process.stdout.write(`${hindrance}: the app opens in the browser.\n\n`)
      await serveApp(port, !values["no-open"])
    }
  })

/** What keeps Electron from running, where its binary is. */
function noElectron(): string | undefined {
  if (process.getuid?.() === 0) return "Electron does not run as root"
  return noDisplay() ? "Electron needs a display" : undefined
}
