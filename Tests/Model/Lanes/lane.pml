/* A lane with PRODUCERS rings: SPSCRing, and both wake-up protocols of Lane, Lane+Sleep and Lane+Room.
 *
 * Each statement that touches a shared variable is one step, in the order in which the functions named beside it touch it. What
 * only its own thread sees is joined to such a step. Sequential consistency only: a fence is no step, and a model that lacks
 * one would be no different. That the fences are where they must be is argued in Lane.swift (invariants 5 and 8) and tried by
 * LaneFenceTests. Positions do not wrap, since they stay below 256.
 *
 * Safety: words arrive once, in their producer's order; no slot is written before its word was read, nor read before it was written;
 * nobody is left asleep (an invalid end state). Liveness: all words arrive (finishes), with weak fairness.
 *
 * FAULT_… builds a fault in, which must be found: verify names them.
 */

#ifndef PRODUCERS
#define PRODUCERS 1
#endif
#ifndef WORDS
#define WORDS 4
#endif
#ifndef CAPACITY
#define CAPACITY 2
#endif
#ifndef PUSH_MAX
#define PUSH_MAX 2
#endif
#ifndef POP_MAX
#define POP_MAX 2
#endif

#define MIN(a, b) ((a) < (b) -> (a) : (b))
#define AT(ring, position) ((ring) * CAPACITY + (position) % CAPACITY)

/* SPSCRing. The cached indexes are their own side's. */
byte head[PRODUCERS], tail[PRODUCERS], cachedHead[PRODUCERS], cachedTail[PRODUCERS];
byte slot[PRODUCERS * CAPACITY];
/* Whether a slot holds a word that was written and not yet read; not in the code. */
bool filled[PRODUCERS * CAPACITY];

/* LaneControl */
bool asleep;
byte roomWaiters;

/* What the caller wakes threads with: a wake-up stays until it is taken, and one is as good as many. */
bool consumerBed, producerBed[PRODUCERS];

byte received[PRODUCERS];
byte receivedTotal;
bool isFinished;

ltl finishes { <> isFinished }

proctype producer(byte me) {
    byte sent, wanted, count, index, position;
    bool wasAwake;

    do
    :: sent == WORDS -> break
    :: else ->
        /* SPSCRing.push(words): room(tail:wanted:) */
        atomic {
            wanted = MIN(PUSH_MAX, WORDS - sent);
            position = tail[me];
            index = 0
        }
        if
        :: CAPACITY - (position - cachedHead[me]) < wanted -> cachedHead[me] = head[me]
        :: else
        fi;
#ifdef FAULT_ONE_TOO_MANY
        count = MIN(CAPACITY + 1 - (position - cachedHead[me]), wanted);
#else
        count = MIN(CAPACITY - (position - cachedHead[me]), wanted);
#endif
#ifdef FAULT_INDEX_BEFORE_SLOT
        tail[me] = position + count;
#endif
        do
        :: index < count ->
            atomic {
                assert(!filled[AT(me, position + index)]);
                filled[AT(me, position + index)] = true;
                slot[AT(me, position + index)] = sent + index + 1;
                index++
            }
        :: else -> break
        od;
#ifndef FAULT_INDEX_BEFORE_SLOT
        tail[me] = position + count;
#endif
        sent = sent + count;

        /* Lane.shouldWakeConsumer(), after the last push of a batch and before the producer may wait */
#ifdef FAULT_WAITS_BEFORE_WAKING
        if
        :: count == wanted ->
#else
        if
        :: count > 0 ->
#endif
            if
            :: asleep ->
                atomic { wasAwake = !asleep; asleep = false };
                if
                :: !wasAwake -> consumerBed = true
                :: else
                fi
            :: else
            fi
        :: else
        fi;

        /* Lane.waitForRoom(producer:) */
        if
        :: count == wanted
        :: else ->
#ifdef FAULT_LOOKS_BEFORE_REGISTERING
            cachedHead[me] = head[me];
            if
            :: tail[me] - cachedHead[me] < CAPACITY
            :: else ->
                roomWaiters = roomWaiters | (1 << me);
                producerBed[me] -> producerBed[me] = false
            fi
#else
            roomWaiters = roomWaiters | (1 << me);
            cachedHead[me] = head[me];
            if
            :: tail[me] - cachedHead[me] < CAPACITY -> roomWaiters = roomWaiters & (255 - (1 << me))
            :: else -> producerBed[me] -> producerBed[me] = false
            fi
#endif
        fi
    od
}

proctype consumer() {
    byte source, visits, count, taken, position, index, waiting, ready, ring;
    bool isEmpty;

    do
    :: receivedTotal == PRODUCERS * WORDS -> isFinished = true; break
    :: else ->
        /* Lane.pop(into:), and in it SPSCRing.pop(into:): available(head:wanted:) */
        atomic { count = 0; visits = 0 }
        do
        :: visits < PRODUCERS && count < POP_MAX ->
            position = head[source];
            if
            :: cachedTail[source] - position < POP_MAX - count -> cachedTail[source] = tail[source]
            :: else
            fi;
            atomic { taken = MIN(cachedTail[source] - position, POP_MAX - count); index = 0 }
#ifdef FAULT_SLOT_AFTER_INDEX
            head[source] = position + taken;
#endif
            do
            :: index < taken ->
                atomic {
                    assert(filled[AT(source, position + index)]);
                    filled[AT(source, position + index)] = false;
                    assert(slot[AT(source, position + index)] == received[source] + 1);
                    received[source]++;
                    receivedTotal++;
                    index++
                }
            :: else -> break
            od;
#ifndef FAULT_SLOT_AFTER_INDEX
            head[source] = position + taken;
#endif
            atomic { count = count + taken; visits++; source = (source + 1) % PRODUCERS; taken = 0; index = 0; position = 0 }
        :: else -> break
        od;
        if
        :: count > 0 ->
            /* Lane.takeRoomWaiters() */
            atomic { waiting = roomWaiters; ready = 0; ring = 0 }
            do
            :: waiting != 0 && ring < PRODUCERS ->
                if
                :: (waiting & (1 << ring)) != 0 && tail[ring] - head[ring] <= CAPACITY / 2 -> ready = ready | (1 << ring)
                :: else
                fi;
                ring++
            :: else -> break
            od;
            if
            :: ready != 0 ->
                atomic { ready = ready & roomWaiters; roomWaiters = roomWaiters & (255 - ready); ring = 0 }
                do
                :: ring < PRODUCERS ->
                    if
                    :: (ready & (1 << ring)) != 0 -> producerBed[ring] = true
                    :: else
                    fi;
                    ring++
                :: else -> break
                od
            :: else
            fi
        :: else ->
            /* Lane.prepareToSleep() */
#ifndef FAULT_LOOKS_BEFORE_ANNOUNCING
            asleep = true;
#endif
            atomic { isEmpty = true; ring = 0 }
            do
            :: ring < PRODUCERS ->
                if
                :: tail[ring] != head[ring] -> isEmpty = false
                :: else
                fi;
                ring++
            :: else -> break
            od;
#ifdef FAULT_LOOKS_BEFORE_ANNOUNCING
            asleep = true;
#endif
            if
            :: isEmpty ->
                consumerBed -> consumerBed = false;
                /* It may have been woken by something that is not the lane. */
                asleep = false
            :: else -> asleep = false
            fi
        fi;
        atomic { waiting = 0; ready = 0; ring = 0 }
    od
}

/* Something that is not the lane wakes the consumer, once, whenever. */
proctype other() {
    consumerBed = true
}

init {
    atomic {
        byte producers = 0;
        do
        :: producers < PRODUCERS -> run producer(producers); producers++
        :: else -> break
        od;
        run consumer();
        run other()
    }
}
