/**
 * When an alarm goes off, and why then: the one place of all these numbers. An alarm is for something that a person has
 * to do; what mends itself within its minutes tells nobody.
 */
export const thresholds = {
  serverErrors: {
    /** Below one in twenty a visitor who tries again gets through. */
    percent: 5,
    /** A single visitor on a quiet night must not be half of the requests. */
    atLeastPerMinute: 5,
    /** Longer than a node takes to be replaced after its last failed health check. */
    minutes: 5,
  },
  slowResponses: {
    /** Seconds. A visitor notices one, and gives up at about ten; Moodle's pages take 0.04 s to 0.5 s. */
    seconds: 3,
    /** Of the answers, so that a few long exports do not count. */
    percentile: 95,
    /** Long enough for automatic scaling, which wants three minutes and then starts nodes, to have helped. */
    minutes: 15,
  },
  /** Longer than a node needs to start, or ECS to replace it: 30 s until it counts as unhealthy, then a new one. */
  unhealthyNodes: { minutes: 10 },
  /** A site without any is down; three minutes are two health checks after a change and a margin. */
  noHealthyNode: { minutes: 3 },
  cloudFront: {
    percent: 5,
    /** In five minutes, as with serverErrors. */
    atLeastRequests: 25,
    /** No rollout holds this one back, being in another region: longer than its maintenance page usually stands. */
    minutes: 15,
  },
  cron: {
    /**
     * A run ends every three minutes or so (--keep-alive). But a pass may take half an hour of scheduled and half an hour
     * of ad hoc tasks (Moodle's task_scheduled_max_runtime and task_adhoc_max_runtime), and its last task any time.
     */
    hours: 2,
  },
  rollout: {
    /** A rollout asks at least every other minute while it waits. Five, because its log takes a moment to arrive. */
    quietMinutes: 5,
    /** Of these minutes. One alone is that of an update which waits for its maintenance window, every ten minutes. */
    busyMinutes: 2,
    /**
     * The sum of what the slowest install may take: 39 minutes of build, 5 for the first node, 30 of install, 60 for the
     * person at the wizard, 45 for three replacements of nodes. Waiting for an approval is not at work.
     */
    stuckHours: 3,
    /** In a quarter of an hour: waiting for the maintenance window, which takes up to a day, is not at work either. */
    stuckAttempts: 5,
  },
  suppression: {
    /** Minutes that the site's alarm waits to learn that a rollout is at work: one more than its log takes. */
    wait: 2,
    /** Minutes after a rollout in which its last nodes still come and go. */
    after: 5,
  },
  database: {
    /** Percent. A quarter of an hour of it is no peak any more. */
    cpuPercent: 90,
    /** Percent of the most capacity: from here on it cannot grow with the load. */
    capacityPercent: 90,
    minutes: 15,
    /** Percent of the connections that the engine allows: the next node would take the rest. */
    connectionsPercent: 80,
    /** Percent of the storage. RDS makes it grow at 10 percent, six hours after the last time at the earliest. */
    freeStoragePercent: 8,
  },
  cache: {
    /** Percent. Redis works on one processor; from here on requests queue. */
    enginePercent: 80,
    /** Percent of the memory of a store that keeps sessions: what follows is eviction, which logs people out. */
    sessionMemoryPercent: 80,
    minutes: 15,
    /**
     * Per minute, for half an hour. An application cache fills up and then lets the oldest go, which is its work; at
     * this rate it drops what it has just been given. A page of Moodle reads about 50 entries.
     */
    applicationEvictionsPerMinute: 500,
    applicationEvictionMinutes: 30,
    /** Per minute. One evicted session is one person logged out. */
    sessionEvictionsPerMinute: 1,
  },
  files: {
    /** Percent of the operations that a General Purpose file system allows: beyond it every node waits. */
    ioPercent: 90,
    minutes: 15,
    /** Percent of the throughput that is provisioned. */
    throughputPercent: 90,
    /**
     * Bytes. A file system in bursting mode starts with 2.1 TiB of credit, enough for six hours at 100 MiB/s; with a
     * third of it left there are two hours to act.
     */
    burstCreditBytes: 700 * 1024 ** 3,
  },
  examDay: {
    /** Lambda tries what a schedule calls three times within about as many minutes, and then no more. */
    tries: 3,
    minutes: 15,
  },
  rotation: {
    /** The first may be chance: a database that was waking, or restarting. */
    tries: 2,
    hours: 6,
  },
  nodeEvents: {
    /** In an hour, nodes or instances. One or two are the bargain of Spot; more means that its capacity runs out here. */
    interruptionsPerHour: 3,
    /** In a quarter of an hour. ECS tries again by itself; the second failure is no chance any more. */
    notStarted: 2,
  },
} as const;
