import { readdirSync, readFileSync } from "node:fs"
import { join } from "node:path"
import { z } from "zod"

/** What is used of the runtime's profile: events with their microseconds. */
const Events = z.array(
  z.object({
    cat: z.string(),
    name: z.string(),
    dur: z.number(),
    args: z.object({ op_name: z.string().optional(), provider: z.string().optional() }).loose().optional(),
  }),
)

/** One operator that ran: which node, of what kind, where. */
export type Operator = { node: string; op: string; provider: string; ms: number }

/**
 * What the runtime noted of a decode graph (Model.load's `profile`), once the model is released: every operator in
 * order, the milliseconds of every run, and how many kernels were launched on a device (an operator has none or some).
 */
export function readProfile(
  folder: string,
  prefix: string,
): { operators: Operator[]; runs: number[]; launched: number } {
  const file = readdirSync(folder).find((f) => f.startsWith(`${prefix}-decode`)) ?? ""
  const events = Events.parse(JSON.parse(readFileSync(join(folder, file), "utf8")))
  const operators = events.flatMap(({ cat, name, dur, args }): Operator[] =>
    cat === "Node" && name.endsWith("_kernel_time") && args?.op_name
      ? [{ node: name, op: args.op_name, provider: args.provider ?? "", ms: dur / 1000 }]
      : [],
  )
  const runs = events.filter(({ name }) => name === "model_run").map(({ dur }) => dur / 1000)
  return { operators, runs, launched: events.filter(({ cat }) => cat === "Api").length }
}
