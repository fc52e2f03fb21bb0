import { useRef } from "react"
import type { PackSummary } from "../../contract/app.ts"
import { amount, duration } from "../lib/words.ts"
import { useActions, useSlice } from "../store/context.ts"
import type { Run } from "../store/state.ts"
import { Icon } from "../ui/Icon.tsx"

const phases = { measuring: "Getting ready", loading: "Loading the model", reading: "Reading", writing: "" }

/** Milliseconds between two looks at the time left: faster it could not be read. */
const LOOK = 400

/** How far what is being written is, how long it will take, and what stops it. */
export function Progress({ pack }: { pack: PackSummary | undefined }) {
  const actions = useActions()
  const run = useSlice((s) => s.run)
  const looked = useRef({ at: 0, text: "" })
  if (!run) return null
  if (performance.now() - looked.current.at > LOOK) looked.current = { at: performance.now(), text: timeLeft(run) }
  const share = run.total ? Math.min(1, run.made / run.total) : 0
  const phase =
    run.phase === "writing" ? (pack?.sound ? "Making sound" : pack?.canvas ? "Drawing" : "Writing") : phases[run.phase]
  const of = run.total ? ` of ${run.total}` : ""
  const unit = run.unit === "characters" ? `${run.made}${of} characters` : amounts(run, pack)
  return (
    <div className="progress">
      <button type="button" className="stop" onClick={() => actions.stop()}>
        <Icon name="stop" filled /> Stop <kbd>Esc</kbd>
      </button>
      <div
        className="bar"
        role="progressbar"
        aria-label="Progress"
        aria-valuemin={0}
        aria-valuemax={100}
        {...(run.total ? { "aria-valuenow": Math.round(100 * share) } : {})}
      >
        <div style={{ width: `${100 * share}%` }} />
      </div>
      <span role="status">{phase}</span>
      <span className="count">
        {run.made > 0 && unit}
        {looked.current.text && ` · ${looked.current.text}`}
      </span>
    </div>
  )
}

const amounts = (run: Run, pack: PackSummary | undefined) =>
  `${amount(run.made, pack).replace(/ .*/, "")} of ${amount(run.total, pack)}`

/** How long it still takes at the pace so far; nothing while that is not known. */
function timeLeft(run: Run): string {
  const elapsed = (performance.now() - run.began - (run.firstPatch ?? 0)) / 1000
  const made = run.made - run.before
  if (elapsed < 0.3 || made <= 0 || run.total <= run.made) return ""
  return `${duration((run.total - run.made) * (elapsed / made))} left`
}
