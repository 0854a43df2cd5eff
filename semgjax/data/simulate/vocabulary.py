"""Two vocabularies for the sentence patterns: a small one, and a broad one of common English words.

Both are plain lists written for this simulator, each sorted by how common a word is; no text was counted or copied.
"""

from dataclasses import dataclass


def word_list(text: str) -> tuple[str, ...]:
    """The words of `text`; an underscore stands for a blank inside an expression."""
    return tuple(word.replace("_", " ") for word in text.split())


@dataclass(frozen=True)
class Vocabulary:
    """Words by what they do in a sentence, the more frequent ones first in every list."""

    names: tuple[str, ...]
    places: tuple[str, ...]  # towns and countries
    nouns: tuple[str, ...]
    plurals: tuple[str, ...]
    adjectives: tuple[str, ...]
    verbs: tuple[str, ...]  # past tense, with an object
    going: tuple[str, ...]  # past tense, without one
    infinitives: tuple[str, ...]  # with an object
    adverbs: tuple[str, ...]


SMALL = Vocabulary(
    names=word_list(
        """
        Anna Tom Maria James Zoe Peter Kim Laura Ben Quinn Ivan Sara Hugo Olga Frank Dana Victor Julia Xavier
        Will Grace Oscar Ella Yusuf
        """
    ),
    places=word_list(
        """
        London Paris Oslo Quebec Kyoto Vienna Boston Zurich Lima Delhi Exeter Warsaw Jersey Havana Utrecht
        Galway Munich Denver Cairo Perth
        """
    ),
    nouns=word_list(
        """
        time day way house man woman child world school book letter car room door friend water night road table
        word dog question street garden kitchen window picture paper story boat coat bridge market box key job
        bird clock field river plan phone bag train hill tree glass horse lamp map apple village song cup fire
        engine quilt jacket piano machine axe zebra violin ticket pocket wax kettle fox puzzle yard judge vase
        queen
        """
    ),
    plurals=word_list(
        """
        people days years things words books friends houses hands children eyes letters keys boats plans stories
        birds windows apples cups tickets maps trees questions boxes horses songs jars quilts examples
        """
    ),
    adjectives=word_list(
        """
        good new old little long great small big young quiet early blue red warm cold dark black white green
        happy heavy busy empty strange bright quick kind brave simple dry soft yellow large wooden broken
        expensive lazy fuzzy exact jolly zigzag
        """
    ),
    verbs=word_list(
        """
        took made saw found wanted had gave kept left brought moved opened bought sold painted fixed asked_for
        read carried used closed lost watched built washed borrowed liked needed drew hid cut pushed joined
        quoted mixed zipped examined juggled
        """
    ),
    going=word_list(
        """
        went came walked ran sat stayed waited worked slept lived stood talked looked drove played laughed
        danced jumped paused relaxed
        """
    ),
    infinitives=word_list(
        """
        see know take find make get leave help write read keep ask buy open call visit explain choose join bring
        move fix
        """
    ),
    adverbs=word_list(
        """
        again now today then soon always together slowly almost_every_day later at_last very_quietly yesterday
        quickly here just_in_time for_a_while
        """
    ),
)

BROAD = Vocabulary(
    names=word_list(
        """
        James Mary John Anna Michael Sarah David Emma Robert Laura Thomas Maria Daniel Julia Peter Helen Paul Alice
        Mark Kate George Jane Simon Lucy Martin Rose Adam Claire Henry Grace Jack Nina Oscar Ruth Victor Zoe Felix Amy
        Hugo Eve Leo Irene Max Olga Philip Vera Edward Judith Kevin Wendy Brian Yvonne Omar Quinn Ivan Fatima Xavier
        Priya Kenji Ingrid
        """
    ),
    places=word_list(
        """
        London Paris America England China Germany India France Canada Japan Spain Rome Berlin Boston Chicago Mexico
        Australia Italy Brazil Russia Africa Europe Dublin Madrid Vienna Oslo Sydney Texas Florida Egypt Greece Turkey
        Poland Sweden Norway Denmark Kenya Cairo Delhi Tokyo Kyoto Lisbon Prague Warsaw Zurich Geneva Lima Quebec
        Havana Venice Munich Exeter Bristol Jersey Hawaii Nevada Utah Perth
        """
    ),
    nouns=word_list(
        """
        time year way day man thing world life hand part child eye woman place work week case point government company
        number group problem fact night house area water room mother book money story month lot right study job word
        business issue side kind head service friend father power hour game line end member law car city community name
        president team minute idea body information back parent face level office door health person art war history
        party result change morning reason research girl guy moment air teacher force education foot boy age policy
        process music market sense nation plan college interest death experience effect use class control field
        development role effort rate heart drug show leader light voice wife mind price report decision son view
        relationship town road arm difference value building action season society tax director position player record
        paper space ground form event official matter center couple site project activity star table need court oil
        situation cost industry figure street image phone data picture practice piece land product doctor wall news
        test movie north love step baby computer type attention film tree source truth hair window culture chance
        brother energy period course summer plant opportunity term letter condition choice rule daughter south husband
        floor campaign material population call economy hospital church risk fire future bank defense growth subject
        box bed order chair dog knee sister song fish cup coat bag key train plane ship boat bridge river lake mountain
        valley forest garden kitchen apple orange bread cheese butter sugar salt coffee tea dinner lunch breakfast
        kettle knife spoon plate glass bottle jacket shirt shoe hat pocket button zipper wheel engine machine tool
        hammer nail rope wire pipe lamp candle clock watch camera radio screen keyboard mouse map ticket visa passport
        hotel beach island desert storm cloud rain snow wind ice sun moon sky horse cow pig sheep cat bird duck fox
        wolf bear lion tiger zebra queen king prince judge lawyer nurse farmer pilot sailor soldier artist singer
        writer author poet actor dancer violin piano guitar drum flute jazz opera museum library theater stadium school
        university exam question answer quiz puzzle joke prize gift surprise mistake habit method formula theory proof
        axis vector index matrix quantity quality zone oxygen hydrogen acid cell brain muscle nerve wrist finger thumb
        elbow shoulder skin bone blood fever virus vaccine diet exercise
        """
    ),
    plurals=word_list(
        """
        people years days things words books friends houses hands children women men eyes letters keys plans stories
        students parents questions problems numbers months weeks hours minutes countries workers families members
        results games rules cars doors trees birds windows boxes horses songs tickets maps pictures cups plates clothes
        shoes dollars pounds miles apples eggs potatoes vegetables flowers animals dogs cats sheep cows ships planes
        engines machines tools keyboards buttons signals muscles fingers wires examples quizzes puzzles jokes prizes
        taxes axes vectors zones judges queens villages cities bridges roads rivers mountains islands oceans
        """
    ),
    adjectives=word_list(
        """
        good new first last long great little own other old right big high different small large next early young
        important few public bad same able free sure real full special easy clear recent certain open red strong
        possible whole national local white black hard common poor natural significant similar hot dead central happy
        serious ready simple left physical general environmental financial blue wrong nice huge foreign cold warm dark
        short single main close fine green deep quick quiet bright empty heavy busy kind brave dry soft yellow wooden
        broken expensive cheap lazy fuzzy exact jolly proper perfect extra modern ancient royal equal unique quaint
        curious anxious complex flexible obvious previous various average useful useless careful careless famous honest
        hungry thirsty tired sleepy angry calm gentle rough smooth sharp dull thick thin wide narrow shallow steep flat
        round square sweet sour bitter salty fresh rotten clean dirty wet loud silent private legal normal strange
        weird odd rare brief final actual visible hidden frozen
        """
    ),
    verbs=word_list(
        """
        had said made took got saw knew gave found thought wanted used asked needed left kept began showed heard played
        moved believed brought wrote provided lost paid met included set learned changed led understood watched
        followed stopped created read spent opened won offered remembered considered bought served sent built cut
        reached killed raised passed sold required reported decided pulled broke explained developed caught drew chose
        caused pushed carried closed covered finished liked loved hated missed painted fixed washed borrowed cleaned
        counted cooked dropped forgot described discovered enjoyed examined expected filled fought gathered handled hid
        hit hurt ignored imagined improved invited joined judged kicked kissed locked measured mentioned mixed named
        noticed ordered owned packed picked planned planted prepared pressed produced promised protected proved quoted
        recognized recorded refused removed repaired replaced requested saved searched shared solved squeezed stole
        studied supported swept tested threw touched typed unzipped visited wanted_to_see warned zipped juggled
        """
    ),
    going=word_list(
        """
        went came looked worked lived stood sat ran walked talked stayed fell happened waited grew slept died arrived
        returned appeared laughed smiled cried drove played danced jumped paused rested studied swam traveled climbed
        disappeared failed hurried listened moved nodded prayed rose sang shouted slipped spoke started stopped
        succeeded trembled turned vanished voted wandered whispered woke yawned relaxed vexed_everyone zigzagged
        """
    ),
    infinitives=word_list(
        """
        be_like have make get take see know find give tell use try leave call keep help show hear play move believe
        bring write provide lose pay meet learn change lead understand watch follow stop create read spend open win
        offer remember consider buy serve send build reach raise pass sell require report decide pull break explain
        develop catch draw choose push carry close cover finish join fix quote examine organize recognize measure
        borrow judge squeeze mix replace improve protect visit invite solve
        """
    ),
    adverbs=word_list(
        """
        now then again here there today always never often soon still together later yesterday tomorrow once twice
        already almost_every_day quickly slowly quietly suddenly finally usually probably recently easily carefully
        early late at_last at_once in_the_end for_a_while just_in_time all_day every_week as_usual by_chance on_purpose
        very_quietly without_a_word exactly_as_before alone
        """
    ),
)
