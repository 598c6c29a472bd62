import type { World } from './world.ts';

/** Something that each world has one of, made when it is first asked for, so that two rehearsals share nothing. */
export function perWorld<Value>(make: (world: World) => Value): (world: World) => Value {
  const values = new WeakMap<World, Value>();
  return (world) => {
    const known = values.get(world);
    if (known !== undefined) return known;
    const made = make(world);
    values.set(world, made);
    return made;
  };
}
