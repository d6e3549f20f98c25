/* The ring that threads share: MPMCRing, with Lane's protocols for foreign threads (pushForeign, waitForForeignRoom, takeRoomWaiters).
 *
 * Steps, and what the model does not know, are as in lane.pml. CONSUMERS is 1 for a lane; with more, the ring alone is checked, and
 * who finds it full or empty tries again.
 *
 * Safety and liveness are as in lane.pml, with words in order for each thread that pushes them, at each thread that pops them.
 */

#ifndef PRODUCERS
#define PRODUCERS 2
#endif
#ifndef CONSUMERS
#define CONSUMERS 1
#endif
#ifndef WORDS
#define WORDS 3
#endif
#define CAPACITY 2
#define HALF (CAPACITY / 2)
#define TOTAL (PRODUCERS * WORDS)

/* MPMCRing: a cell is a sequence number and a word. Positions do not wrap. */
byte head, tail;
byte sequence[CAPACITY], word[CAPACITY];
/* Whether a cell holds a word that was written and not yet read; not in the code. */
bool filled[CAPACITY];

/* LaneControl */
bool asleep, foreignBit;

bool consumerBed, producerBed[PRODUCERS];
byte receivedTotal;
byte finishedConsumers;

#ifndef MANY_CONSUMERS
ltl finishes { <> (finishedConsumers == CONSUMERS) }
#endif

#define WORD(producer, number) ((producer) * 16 + (number))

proctype producer(byte me) {
    byte sent, position, turn;
    bool hasRoom, wasAsleep, isDecided;

    do
    :: sent == WORDS -> break
    :: else ->
        /* MPMCRing.push(word) */
        position = tail;
        isDecided = false;
        do
        :: isDecided -> break
        :: else ->
            turn = sequence[position % CAPACITY];
            if
            :: turn < position -> hasRoom = false; isDecided = true
            :: turn > position -> position = tail
            :: turn == position ->
#ifdef FAULT_CELL_NOT_CLAIMED
                hasRoom = true; isDecided = true; tail = position + 1
#else
                /* weakCompareExchange */
                atomic {
                    if
                    :: tail == position -> tail = position + 1; hasRoom = true; isDecided = true
                    :: else -> position = tail
                    fi
                }
#endif
            fi
        od;
        if
        :: hasRoom ->
            atomic {
                assert(!filled[position % CAPACITY]);
                filled[position % CAPACITY] = true;
                word[position % CAPACITY] = WORD(me, sent + 1)
            }
            sequence[position % CAPACITY] = position + 1;
            sent++;
            /* Lane.shouldWakeConsumer() */
            if
            :: asleep ->
                atomic { wasAsleep = asleep; asleep = false };
                if
                :: wasAsleep -> consumerBed = true
                :: else
                fi
            :: else
            fi
        :: else ->
#ifndef MANY_CONSUMERS
            /* Lane.waitForForeignRoom(): the bit stays, whatever the answer */
            foreignBit = true;
            position = tail;
            if
            :: sequence[position % CAPACITY] >= position
            :: else -> producerBed[me] -> producerBed[me] = false
            fi
#endif
        fi;
        atomic { position = 0; turn = 0 }
    od
}

proctype consumer() {
    byte last[PRODUCERS];
    byte position, turn, value, index, from, waitStart, poppedSince;
    bool hasWord, isDecided, isWaitSeen, isOver;

    do
    :: receivedTotal == TOTAL -> finishedConsumers++; break
    :: else ->
        /* MPMCRing.pop() */
        position = head;
        isDecided = false;
        do
        :: isDecided -> break
        :: else ->
            turn = sequence[position % CAPACITY];
            if
            :: turn < position + 1 -> hasWord = false; isDecided = true
            :: turn > position + 1 -> position = head
            :: turn == position + 1 ->
                atomic {
                    if
                    :: head == position -> head = position + 1; hasWord = true; isDecided = true
                    :: else -> position = head
                    fi
                }
            fi
        od;
        if
        :: hasWord ->
#ifdef FAULT_CELL_FREED_BEFORE_READ
            sequence[position % CAPACITY] = position + CAPACITY;
#endif
            atomic {
                assert(filled[position % CAPACITY]);
                filled[position % CAPACITY] = false;
                value = word[position % CAPACITY]
            }
#ifndef FAULT_CELL_FREED_BEFORE_READ
            sequence[position % CAPACITY] = position + CAPACITY;
#endif
            atomic {
                from = value / 16;
#ifdef MANY_CONSUMERS
                assert(value % 16 > last[from]);
#else
                assert(value % 16 == last[from] + 1);
#endif
                last[from] = value % 16;
                receivedTotal++;
                value = 0
            }
#ifndef MANY_CONSUMERS
            /* Lane.takeRoomWaiters(), isForeignWaitOver() */
            if
            :: foreignBit ->
                atomic {
                    if
                    :: !isWaitSeen -> isWaitSeen = true; waitStart = head
                    :: else
                    fi;
                    poppedSince = head - waitStart
                }
                /* count: the head is the consumer's own, so one look at the tail */
                isOver = (tail - head <= HALF || poppedSince >= HALF);
                isWaitSeen = !isOver;
                if
                :: isOver ->
                    foreignBit = false;
                    index = 0;
                    do
                    :: index < PRODUCERS -> producerBed[index] = true; index++
                    :: else -> break
                    od
                :: else
                fi
            :: else
            fi
#endif
        :: else ->
#ifndef MANY_CONSUMERS
            /* Lane.prepareToSleep() */
            asleep = true;
            position = head;
            if
            :: sequence[position % CAPACITY] < position + 1 -> consumerBed -> consumerBed = false
            :: else
            fi;
            asleep = false
#endif
        fi;
        atomic { position = 0; turn = 0; poppedSince = 0; index = 0; from = 0 }
    od
}

init {
    atomic {
        byte index = 0;
        do
        :: index < CAPACITY -> sequence[index] = index; index++
        :: else -> break
        od;
        index = 0;
        do
        :: index < PRODUCERS -> run producer(index); index++
        :: else -> break
        od;
        index = 0;
        do
        :: index < CONSUMERS -> run consumer(); index++
        :: else -> break
        od
    }
}
