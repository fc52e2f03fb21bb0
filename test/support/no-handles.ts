import { closeSync, openSync, readdirSync, readFileSync } from "node:fs"
import { join } from "node:path"
import { setTimeout } from "node:timers/promises"
import { Library } from "../../main/host/library.ts"
import { Log } from "../../main/host/log.ts"
import { Recorder } from "../../main/host/recorder.ts"
import { Windows } from "../../main/host/windows.ts"
import { textItem } from "./item.ts"

/**
 * Records a run in a process that has so many handles open as it may, but for `left` of them, and gives them back later.
 * Prints what windows were told and what is on the disk at the end. Called with the app's folder and `left`.
 */
const [home = "", left = "0"] = process.argv.slice(2)
const windows = new Windows(new Log(home))
const notices: string[] = []
windows.add((event) => event.type === "notice" && notices.push(event.text))
const library = new Library(join(home, "library"))
const item = library.add({ ...textItem }, Buffer.from("Once"))
const recorder = new Recorder([item], "bytes", library, windows)
const part = (text: string) => ({
  bytes: Buffer.from(text),
  logprob: new Float32Array(text.length).fill(-1),
  entropy: new Float32Array(text.length),
})
const handles: number[] = []
try {
  while (handles.length < 10_000) handles.push(openSync("/dev/null", "r"))
} catch (error) {
  notices.push(`The system says: ${(error as NodeJS.ErrnoException).code}.`)
}
for (const handle of handles.splice(0, Number(left))) closeSync(handle)
recorder.take([part(" upon")])
recorder.flush()
recorder.take([part(" a time")])
recorder.flush()
const ended = recorder.end(
  "done",
  async () => {},
  () => false,
)
await setTimeout(400)
for (const handle of handles) closeSync(handle)
await ended
library.flush()
const folder = join(home, "library", readdirSync(join(home, "library")).find((name) => !name.startsWith(".")) ?? "")
const { status, bytes } = JSON.parse(readFileSync(join(folder, "item.json"), "utf8"))
const [text, bits] = [readFileSync(join(folder, "output.txt"), "utf8"), readFileSync(join(folder, "bits.f32")).length]
process.stdout.write(JSON.stringify({ notices, status, bytes, text, bits }))
