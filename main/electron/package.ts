import { spawn } from "node:child_process"
import { createInterface } from "node:readline"
import { electronBinary } from "./binary.ts"

/** `npm run package`, after a build: the app as this system's package, by electron-builder at one version. */

const BUILDER = "electron-builder@26.17.0"
/** Electron as its own package has it, so that it is not fetched once more. */
const ARGUMENTS = ["--publish", "never", "--config.electronDist=node_modules/electron/dist"]
/** Milliseconds of silence after which a download counts as hung. */
const SILENCE = 5 * 60_000

/** Lines of electron-builder and of npm that say what went wrong; npm's first ones are codes. */
const WRONG = [
  /^\s*⨯ (.*?)(?:\s+failedTask=|$)/,
  /^npm (?:error|ERR!) (?!(?:code|errno|syscall|address|port|type) )(.+)/,
]

const say = (line: string) => void process.stderr.write(`${line}\n`)

/** What a run of electron-builder came to: nothing, or why there is no package, as a clause. */
async function build(): Promise<string | undefined> {
  const builder = spawn("npx", ["--yes", BUILDER, ...ARGUMENTS], {
    stdio: ["ignore", "pipe", "pipe"],
    shell: process.platform === "win32",
    detached: process.platform !== "win32",
    // A registry that does not answer is given up after a minute, and not after ten.
    env: { ...process.env, npm_config_fetch_retries: "1", npm_config_fetch_timeout: "60000" },
  })
  // npx hands a signal on to no one: the whole group is ended.
  const end = () => builder.pid && process.kill(process.platform === "win32" ? builder.pid : -builder.pid, "SIGKILL")
  let why = ""
  let watch = setTimeout(() => {})
  const heard = (line: string) => {
    clearTimeout(watch)
    watch = setTimeout(() => {
      why = "electron-builder was silent for five minutes and was ended"
      end()
    }, SILENCE)
    // Its steps are shown; of what went wrong the first line, and no stack.
    if (/^\s*•/.test(line)) say(line)
    else why ||= WRONG.map((form) => form.exec(line)?.[1]).find(Boolean) ?? ""
  }
  heard("")
  for (const stream of [builder.stdout, builder.stderr]) createInterface({ input: stream }).on("line", heard)
  for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, end)
  const code = await new Promise((resolve) => {
    builder.on("error", () => resolve("npx cannot be started"))
    builder.on("close", resolve)
  })
  clearTimeout(watch)
  const host = /(?:getaddrinfo|connect|request to) (?:E[A-Z]+ )?([^\s,]+)/.exec(why)?.[1]
  if (code === 0) return undefined
  return host ? `${host} cannot be reached` : why || `electron-builder ended with code ${code}`
}

const problem = electronBinary()
  ? await build()
  : "Electron's binary is not on this machine; npx install-electron fetches it from github.com"
if (problem) say(`No package was made: ${problem}.`)
process.exit(problem ? 1 : 0)
