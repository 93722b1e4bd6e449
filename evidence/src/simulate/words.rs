//! The vocabulary of simulated records: plain words, and no dictionary's terms.

/// A country with the share of sites it has.
pub(super) struct Country {
    /// ISO 3166-1 alpha-3.
    pub(super) code: &'static str,
    /// Its share among sites.
    pub(super) weight: f64,
    /// Cities and the region they are in.
    pub(super) cities: &'static [(&'static str, &'static str)],
    /// Who monitors its sites, in equal parts.
    pub(super) cros: &'static [Cro],
}

/// An organisation that monitors sites.
pub(super) struct Cro {
    /// Its name.
    pub(super) name: &'static str,
    /// How the ids of its monitors begin.
    pub(super) mark: &'static str,
}

const OAKFIELD: Cro = Cro { name: "Oakfield Research", mark: "OAK" };
const ELMWOOD: Cro = Cro { name: "Elmwood Trials", mark: "ELM" };
const WILLOW: Cro = Cro { name: "Willow Clinical", mark: "WIL" };

/// Where sites are.
pub(super) const COUNTRIES: [Country; 7] = [
    Country {
        code: "USA",
        weight: 0.30,
        cities: &[("Albany", "New York"), ("Boulder", "Colorado"), ("Tampa", "Florida")],
        cros: &[OAKFIELD, ELMWOOD],
    },
    Country {
        code: "DEU",
        weight: 0.18,
        cities: &[("Leipzig", "Saxony"), ("Ulm", "Baden"), ("Kiel", "Holstein")],
        cros: &[ELMWOOD],
    },
    Country {
        code: "POL",
        weight: 0.14,
        cities: &[("Lublin", "Lublin"), ("Poznan", "Greater Poland")],
        cros: &[ELMWOOD],
    },
    Country {
        code: "ESP",
        weight: 0.12,
        cities: &[("Malaga", "Andalusia"), ("Bilbao", "Basque Country")],
        cros: &[WILLOW],
    },
    Country {
        code: "GBR",
        weight: 0.10,
        cities: &[("Leeds", "Yorkshire"), ("Bristol", "Avon")],
        cros: &[OAKFIELD],
    },
    Country { code: "FRA", weight: 0.08, cities: &[("Lyon", "Rhone"), ("Nantes", "Loire")], cros: &[WILLOW] },
    Country {
        code: "JPN",
        weight: 0.08,
        cities: &[("Sendai", "Miyagi"), ("Kobe", "Hyogo")],
        cros: &[OAKFIELD],
    },
];

/// First names of investigators who do not exist.
pub(super) const FIRST_NAMES: [&str; 10] =
    ["Alex", "Robin", "Kim", "Jona", "Sascha", "Noa", "Mika", "Toni", "Luca", "Sam"];

/// Last names of the same.
pub(super) const LAST_NAMES: [&str; 12] = [
    "Alder", "Birch", "Cedar", "Dogwood", "Elder", "Fir", "Gorse", "Hazel", "Juniper", "Larch", "Maple",
    "Rowan",
];

/// Part of the body, with the share of adverse events that it has and what is reported there, the commonest first.
pub(super) struct BodyArea {
    /// Its name.
    pub(super) name: &'static str,
    /// Its share among adverse events.
    pub(super) weight: f64,
    /// What is reported.
    pub(super) terms: [&'static str; 5],
}

/// What adverse events are called.
pub(super) const BODY_AREAS: [BodyArea; 8] = [
    BodyArea {
        name: "stomach and gut",
        weight: 0.22,
        terms: ["feeling sick", "loose stools", "belly ache", "hard stools", "burning after meals"],
    },
    BodyArea {
        name: "nerves",
        weight: 0.18,
        terms: ["head pain", "spinning feeling", "pins and needles", "shaking hands", "poor memory"],
    },
    BodyArea {
        name: "airways",
        weight: 0.14,
        terms: ["common cold", "coughing", "sore throat", "blocked nose", "short of breath"],
    },
    BodyArea {
        name: "skin",
        weight: 0.12,
        terms: ["itching", "red spots", "dry skin", "hair loss", "swelling at the needle site"],
    },
    BodyArea {
        name: "bones and muscles",
        weight: 0.12,
        terms: ["back ache", "joint ache", "cramp", "stiff neck", "sore muscles"],
    },
    BodyArea {
        name: "whole body",
        weight: 0.12,
        terms: ["tiredness", "raised temperature", "chills", "swollen ankles", "loss of weight"],
    },
    BodyArea {
        name: "mind",
        weight: 0.06,
        terms: ["poor sleep", "worry", "low mood", "irritable mood", "bad dreams"],
    },
    BodyArea {
        name: "heart and vessels",
        weight: 0.04,
        terms: ["fast heart beat", "high pressure", "low pressure", "chest tightness", "uneven heart beat"],
    },
];

/// Kinds of deviation: category, share, and what is written down.
pub(super) const DEVIATIONS: [(&str, f64, &str); 6] = [
    ("Study procedures", 0.34, "a procedure of the visit was done late or in the wrong order"),
    ("Visit timing", 0.24, "the visit took place outside its window"),
    ("Missing data", 0.18, "an assessment of the visit was not done"),
    ("Study treatment", 0.12, "doses were missed or taken twice"),
    ("Informed consent", 0.07, "a page of the consent form was not initialled"),
    ("Eligibility", 0.05, "a criterion was not documented before enrolment"),
];

/// Conditions before the study: the condition, and the part of the body.
pub(super) const CONDITIONS: [(&str, &str); 8] = [
    ("RAISED BLOOD PRESSURE", "heart and vessels"),
    ("RAISED BLOOD FATS", "whole body"),
    ("WORN KNEE", "bones and muscles"),
    ("ASTHMA", "airways"),
    ("HAY FEVER", "airways"),
    ("ECZEMA", "skin"),
    ("MIGRAINE", "nerves"),
    ("HEARTBURN", "stomach and gut"),
];

/// Other medicines: the medicine, its dose in mg, and what it is for.
pub(super) const MEDICINES: [(&str, i64, &str); 6] = [
    ("BLOOD PRESSURE TABLET", 10, "RAISED BLOOD PRESSURE"),
    ("BLOOD FAT TABLET", 20, "RAISED BLOOD FATS"),
    ("PAINKILLER", 400, "PAIN"),
    ("ACID BLOCKER", 20, "HEARTBURN"),
    ("ALLERGY TABLET", 5, "HAY FEVER"),
    ("VITAMIN", 1, "NOT STATED"),
];

/// The criteria of the protocol: code, category, text.
pub(super) const CRITERIA: [(&str, &str, &str); 5] = [
    ("INCL01", "INCLUSION", "Age 18 to 85 years"),
    ("INCL02", "INCLUSION", "Raised blood sugar for at least six months"),
    ("INCL03", "INCLUSION", "Written consent before the first procedure"),
    ("EXCL01", "EXCLUSION", "Pregnant or breast feeding"),
    ("EXCL02", "EXCLUSION", "Severe disease of liver or kidney"),
];
