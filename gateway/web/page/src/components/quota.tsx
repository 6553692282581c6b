// SPDX-License-Identifier: Apache-2.0
import type { LinkStatus, PlanStatus } from "../api";
import { shares } from "../dial";
import * as format from "../format";
import { t } from "../strings";
import { planTone } from "../verdict";
import { Card, Chip, Fact } from "./card";
import { Dial } from "./dial";

/** What the provider's plan still gives, until when. */
export function Quota({ link }: { link: LinkStatus }) {
  return link.plan ? <WithPlan plan={link.plan} /> : <WithoutPlan link={link} />;
}

function WithPlan({ plan }: { plan: PlanStatus }) {
  const text = t.quota;
  const tone = planTone(plan);
  const over = plan.used > plan.included;
  const left = plan.left ?? plan.included - plan.used;
  const label = text.dial(
    format.bytes(plan.used),
    format.roundBytes(plan.reserve),
    format.bytes(left),
    format.roundBytes(plan.included),
  );
  const resets = format.toDate(plan.resets_at);
  const runsOut = format.toDate(plan.runs_out_at);
  const included = format.roundBytes(plan.included);
  return (
    <Card
      title={text.heading}
      class={`quota tone-${tone}`}
      aside={<Chip tone={tone}>{text.states[plan.state] ?? plan.state}</Chip>}
    >
      <Dial parts={shares(plan)} tone={tone} label={label}>
        <strong class="dial-figure">{format.bytes(over ? plan.used - plan.included : left)}</strong>
        <span class="dial-words">{over ? text.overBy(included) : text.leftOf(included)}</span>
        <span class="dial-plan">{plan.name}</span>
      </Dial>
      <dl class="facts two">
        <Fact name={text.used}>
          <span class="key used" />
          {format.bytes(plan.used)} <small>{format.percent(plan.used / plan.included)}</small>
        </Fact>
        <Fact name={text.reserved}>
          <span class="key reserve" />
          {format.roundBytes(plan.reserve)}
        </Fact>
        <Fact name={text.resets}>{resets ? format.dayAndTime(resets) : t.unknown}</Fact>
        {runsOut ? (
          <Fact name={text.runsOut}>
            <span class="tone-text">{format.dayAndTime(runsOut)}</span>
          </Fact>
        ) : (
          <Fact name={text.forecast}>
            <span class="key forecast" />
            {format.bytes(plan.forecast_end_bytes)}
          </Fact>
        )}
        <Fact name={text.allowance}>{format.bytes(plan.daily_allowance)}</Fact>
        <Fact name={text.cost}>{format.money(plan.cost, plan.currency)}</Fact>
      </dl>
    </Card>
  );
}

function WithoutPlan({ link }: { link: LinkStatus }) {
  const text = t.quota;
  const today = (link.wire_up_today ?? 0) + (link.wire_down_today ?? 0);
  return (
    <Card title={text.heading} class="quota">
      <Dial parts={null} tone="idle" label={`${format.bytes(today)} ${text.today}`}>
        <strong class="dial-figure">{format.bytes(today)}</strong>
        <span class="dial-words">{text.today}</span>
      </Dial>
      <p class="lead">{text.none}</p>
      <p class="hint">{text.noneHint}</p>
    </Card>
  );
}
