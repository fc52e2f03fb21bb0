import { expect, it } from "vitest"
import { Jobs } from "./jobs.ts"

it("runs one after the other, and what is only made ready last", async () => {
  const jobs = new Jobs()
  const done: string[] = []
  const work = (name: string) => async () => {
    await Promise.resolve()
    done.push(name)
  }
  void jobs.run(work("first"), true)
  void jobs.run(work("ready"), true)
  void jobs.run(work("asked"), false)
  await new Promise((resolve) => setTimeout(resolve))
  void jobs.run(work("later"), false)
  await new Promise((resolve) => setTimeout(resolve))
  expect(done).toEqual(["first", "asked", "ready", "later"])
})
