import fc from "fast-check";
import { expect, test } from "vitest";
import { type GestureEffect, type GesturePointer, GestureRecognizer } from "./gesture";

function setup({ isTouch = true } = {}) {
  const gesture = new GestureRecognizer();
  const effects: GestureEffect[] = [];
  const down = new Set<number>();
  let nowMs = 1000;
  const pointer = (pointerId: number, xPx: number, yPx: number): GesturePointer => ({
    pointerId,
    isTouch,
    isPrimary: down.size === 0 || (down.size === 1 && down.has(pointerId)),
    xPx,
    yPx,
    atMs: nowMs,
  });
  const press = (id: number, x: number, y = 0) => {
    const pressed = pointer(id, x, y);
    down.add(id);
    effects.push(...gesture.receiveDown(pressed));
  };
  const move = (id: number, x: number, y = 0) => effects.push(...gesture.receiveMove(pointer(id, x, y)));
  const lift = (id: number) => {
    down.delete(id);
    effects.push(...gesture.receiveUp(id, nowMs));
  };
  const cancel = (id: number) => {
    down.delete(id);
    effects.push(...gesture.receiveCancel(id));
  };
  const settle = () => effects.push(...gesture.settle());
  const wait = (ms: number) => {
    nowMs += ms;
  };
  const tap = (x: number, y = 0, forMs = 60) => {
    press(1, x, y);
    wait(forMs);
    lift(1);
    wait(100);
  };
  const kinds = () => effects.map(({ kind }) => kind);
  return { gesture, effects, kinds, press, move, lift, cancel, settle, wait, tap };
}

test("a finger that settles and moves drags from where it was pressed, until it is lifted", () => {
  const { effects, press, settle, move, lift } = setup();
  press(1, 100, 100);
  settle();
  move(1, 130, 90);
  move(1, 160, 80);
  lift(1);
  move(1, 200, 80);
  expect(effects).toEqual([
    { kind: "press", pointerId: 1, dxPx: 30, dyPx: -10 },
    { kind: "drag", pointerId: 1, dxPx: 60, dyPx: -20 },
    { kind: "release", pointerId: 1 },
  ]);
});

test("a finger that moves before it has settled drags once it has, from where it is then", () => {
  const { effects, press, move, settle } = setup();
  press(1, 100);
  move(1, 140);
  expect(effects).toEqual([]);
  settle();
  expect(effects).toEqual([{ kind: "press", pointerId: 1, dxPx: 40, dyPx: 0 }]);
});

test("a finger that trembles drags nothing, however long it rests", () => {
  const { effects, press, settle, move, wait } = setup();
  press(1, 100);
  settle();
  wait(10_000);
  move(1, 108);
  expect(effects).toEqual([]);
  move(1, 109);
  expect(effects).toHaveLength(1);
});

test("a mouse has nothing to wait for", () => {
  const { gesture, effects, press, move } = setup({ isTouch: false });
  press(1, 100);
  expect(gesture.isSettling).toBe(false);
  move(1, 120);
  expect(effects).toEqual([{ kind: "press", pointerId: 1, dxPx: 20, dyPx: 0 }]);
});

test("a joystick is drawn for a pointer that has settled, and for no other", () => {
  const { gesture, press, settle, move } = setup();
  expect(gesture.stick).toBeNull();
  press(1, 100, 50);
  expect(gesture.stick).toBeNull();
  settle();
  move(1, 90, 50);
  expect(gesture.stick).toEqual({
    pointerId: 1,
    isTouch: true,
    centre: { xPx: 100, yPx: 50 },
    dxPx: -10,
    dyPx: 0,
  });
  press(2, 200);
  expect(gesture.stick).toBeNull();
});

test("a second finger ends the drag within its own event", () => {
  const { effects, kinds, press, settle, move } = setup();
  press(1, 100);
  settle();
  move(1, 130);
  press(2, 300);
  expect(effects.at(-1)).toEqual({ kind: "release", pointerId: 1 });
  move(1, 150);
  move(2, 320);
  expect(kinds()).toEqual(["press", "release", "pinch", "pinch"]);
});

test("a second finger that comes before the first has settled leaves the head alone altogether", () => {
  const { kinds, press, move, settle } = setup();
  press(1, 100);
  move(1, 130);
  press(2, 300);
  settle();
  move(2, 350);
  expect(kinds()).toEqual(["pinch"]);
});

test("a pinch tells how much the fingers' distance grew, and where their middle went", () => {
  const { effects, press, move } = setup();
  press(1, 100, 100);
  press(2, 200, 100);
  move(2, 300, 140);
  const grown = Math.hypot(200, 40) / 100;
  expect(effects).toEqual([
    { kind: "pinch", factor: grown, from: { xPx: 150, yPx: 100 }, to: { xPx: 200, yPx: 120 } },
  ]);
});

test("fingers that meet neither divide by zero nor make the picture jump", () => {
  const { effects, press, move } = setup();
  press(1, 100);
  press(2, 148);
  move(2, 100);
  move(2, 101);
  move(2, 148);
  expect(effects.map((effect) => effect.kind === "pinch" && effect.factor)).toEqual([0.5, 1, 2]);
});

test.each([
  ["lifted", "lift"],
  ["cancelled", "cancel"],
] as const)("after a pinch the finger that remains drags nothing, until it is %s too", (_, end) => {
  const gesture = setup();
  const { effects, press, settle, move, lift } = gesture;
  press(1, 100);
  press(2, 300);
  lift(2);
  settle();
  move(1, 200);
  expect(effects).toEqual([]);
  gesture[end](1);
  press(1, 100);
  settle();
  move(1, 200);
  expect(effects).toHaveLength(1);
});

test("a finger that is lifted and pressed again beside one that stayed neither drags nor pinches", () => {
  const { effects, press, settle, move, lift } = setup();
  press(1, 100);
  press(2, 300);
  lift(2);
  press(2, 300);
  settle();
  move(1, 150);
  move(2, 350);
  expect(effects).toEqual([]);
});

test("a third finger neither disturbs a pinch nor inherits it", () => {
  const { kinds, press, move, lift, settle } = setup();
  press(1, 100);
  press(2, 300);
  press(3, 500);
  move(3, 550);
  expect(kinds()).toEqual([]);
  move(2, 320);
  expect(kinds()).toEqual(["pinch"]);
  lift(1);
  settle();
  move(2, 400);
  move(3, 600);
  lift(2);
  move(3, 700);
  expect(kinds()).toEqual(["pinch"]);
});

test("a mouse and a finger together do nothing", () => {
  const { gesture, effects, press, move, settle } = setup();
  press(1, 100);
  const mouse = { pointerId: 9, isTouch: false, isPrimary: true, xPx: 5, yPx: 5, atMs: 1000 };
  effects.push(...gesture.receiveDown(mouse));
  settle();
  move(1, 150);
  effects.push(...gesture.receiveMove({ ...mouse, xPx: 50 }));
  expect(effects).toEqual([]);
});

test("a finger that left the dead zone and came back did not tap", () => {
  const { effects, press, move, lift, tap } = setup();
  press(1, 100);
  move(1, 120);
  move(1, 100);
  lift(1);
  tap(100);
  expect(effects).toEqual([]);
});

test("two quick taps at one place are a double tap, and no drag", () => {
  const { effects, tap } = setup();
  tap(100, 100);
  expect(effects).toEqual([]);
  tap(110, 104);
  expect(effects).toMatchObject([{ kind: "double_tap", at: { xPx: 110, yPx: 104 } }]);
  tap(110, 104);
  expect(effects).toHaveLength(1);
  tap(110, 104);
  expect(effects).toHaveLength(2);
});

test.each([
  ["far apart", (setup: Setup) => setup.tap(160)],
  [
    "with a pause",
    (setup: Setup) => {
      setup.wait(400);
      setup.tap(100);
    },
  ],
  ["if the second rests", (setup: Setup) => setup.tap(100, 0, 300)],
  [
    "if the second is taken by the browser",
    (setup: Setup) => {
      setup.press(1, 100);
      setup.cancel(1);
    },
  ],
  [
    "with a second finger between",
    ({ press, lift, tap }: Setup) => {
      press(1, 100);
      press(2, 300);
      lift(1);
      lift(2);
      tap(100);
    },
  ],
  [
    "with an interruption between",
    (setup: Setup) => {
      setup.gesture.interrupt();
      setup.tap(100);
    },
  ],
])("taps are no double tap %s", (_, second) => {
  const made = setup();
  made.tap(100);
  second(made);
  expect(made.effects).toEqual([]);
});

type Setup = ReturnType<typeof setup>;

test("the lost capture that follows every lifted finger does not spoil a double tap", () => {
  const { kinds, tap, cancel } = setup();
  tap(100);
  cancel(1);
  tap(100);
  expect(kinds()).toEqual(["double_tap"]);
});

test("a second tap that becomes a drag drags", () => {
  const { kinds, tap, press, settle, move } = setup();
  tap(100);
  press(1, 100);
  settle();
  move(1, 130);
  expect(kinds()).toEqual(["press"]);
});

test("an interruption releases, and the finger must be lifted before it drags again", () => {
  const { gesture, effects, kinds, press, settle, move, lift } = setup();
  press(1, 100);
  settle();
  move(1, 150);
  effects.push(...gesture.interrupt());
  move(1, 200);
  press(2, 300);
  settle();
  move(2, 400);
  lift(2);
  lift(1);
  expect(kinds()).toEqual(["press", "release"]);
  press(1, 100);
  settle();
  move(1, 150);
  expect(kinds()).toEqual(["press", "release", "press"]);
});

test("a finger whose lifting nobody reported keeps no other from dragging", () => {
  const { gesture, effects, kinds, press, settle, move } = setup();
  press(1, 100);
  settle();
  move(1, 150);
  const first = { pointerId: 2, isTouch: true, isPrimary: true, xPx: 0, yPx: 0, atMs: 5000 };
  effects.push(...gesture.receiveDown(first), ...gesture.settle());
  effects.push(...gesture.receiveMove({ ...first, xPx: 40 }));
  expect(kinds()).toEqual(["press", "release", "press"]);
});

const step = fc.oneof(
  fc.record({
    kind: fc.constantFrom("press", "move", "lift", "cancel"),
    id: fc.integer({ min: 1, max: 3 }),
    x: fc.integer({ min: 0, max: 400 }),
  }),
  fc.record({ kind: fc.constantFrom("settle", "interrupt", "wait"), id: fc.constant(0), x: fc.nat(400) }),
);

/** What may drag, written down a second time: one pointer, alone since all were lifted, with nothing in between. */
class DragRule {
  readonly down = new Set<number>();
  #mayDrag = true;
  #dragging: number | null = null;

  receiveStep(kind: string, id: number): void {
    if (kind === "press") {
      this.#mayDrag = this.down.size === 0;
      this.down.add(id);
    } else if (kind === "interrupt") {
      this.#mayDrag = false;
    } else if (kind === "lift" || kind === "cancel") {
      this.down.delete(id);
    }
  }

  check(effects: readonly GestureEffect[]): void {
    for (const effect of effects) {
      if (effect.kind === "press") {
        expect([this.#dragging, this.#mayDrag, ...this.down]).toEqual([null, true, effect.pointerId]);
        this.#dragging = effect.pointerId;
      } else if (effect.kind === "drag") {
        expect([this.#dragging, this.#mayDrag, ...this.down]).toEqual([
          effect.pointerId,
          true,
          effect.pointerId,
        ]);
      } else if (effect.kind === "release") {
        expect(this.#dragging).toBe(effect.pointerId);
        this.#dragging = null;
      }
    }
    if (this.#dragging !== null) {
      expect([this.#mayDrag, ...this.down]).toEqual([true, this.#dragging]); // else it was not released in time
    }
  }
}

test("over any history: only a pointer that has been alone since all were lifted drags, and it is released", () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      const { gesture, effects, wait, settle, ...fingers } = setup();
      const others: Record<string, (x: number) => unknown> = {
        settle,
        wait,
        interrupt: () => effects.push(...gesture.interrupt()),
      };
      const rule = new DragRule();
      for (const { kind, id, x } of steps) {
        if (kind === "press" && rule.down.has(id)) {
          continue; // no browser reports that
        }
        rule.receiveStep(kind, id);
        if (kind in others) {
          others[kind]?.(x);
        } else {
          fingers[kind as "press" | "move" | "lift" | "cancel"](id, x);
        }
        rule.check(effects.splice(0));
      }
    }),
    { numRuns: 3000 }, // two fingers that interfere while one drags are rare
  );
});
