//! Tables as people bring them.

use std::fs;
use std::path::Path;

use ringfence::source::Sources;
use ringfence::testing::exchange::{Asked, Format, Mapping, Options, import};

use super::{from, imported, placeless, table};

fn registers() -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/registers")
}

fn register(name: &str) -> super::Imported {
    from(Format::Table, &[registers().join(name)], &Mapping::default()).unwrap()
}

/// What is made of one register is the same, whatever program wrote it.
#[test]
fn a_workbook_is_read_as_its_text_is() {
    let csv = register("register.csv");
    for name in ["register.xlsx", "register.ods"] {
        assert_eq!(placeless(&register(name).inventory), placeless(&csv.inventory), "{name}");
    }
    // A hidden sheet is read, and said.
    let workbook = register("register.xlsx");
    let hidden = workbook.loss.entries.iter().find(|entry| entry.value == "3 cells").unwrap();
    assert!(hidden.is_open());
    let entry = workbook.loss.entries.iter().find(|entry| entry.value == "Wellness coaching").unwrap();
    assert_eq!(entry.at.as_ref().unwrap().cell.as_deref(), Some("Register!C45"));
}

#[test]
fn workbooks_that_hold_too_much_are_refused() {
    let mapping = Mapping::default();
    let paths = [registers().join("bomb.xlsx")];
    let table = Options { max_unpacked: 16 << 20, ..Options::default() };
    let small = Asked { table, ..super::asked(Format::Table, &paths, &mapping) };
    let mistakes = import(&small, &mut Sources::new()).err().unwrap();
    assert!(mistakes[0].message.contains("--max-unpacked"), "{}", mistakes[0].message);
    for (name, why) in [("far-cell.xlsx", "headings"), ("repeated.ods", "--max-rows")] {
        let mistakes = from(Format::Table, &[registers().join(name)], &Mapping::default()).err().unwrap();
        assert!(mistakes[0].message.contains(why), "{}", mistakes[0].message);
    }
}

#[test]
fn silence_nobody_and_somebody_unknown_are_three_things() {
    let row = |recipients: &str| {
        let text = format!(
            "Processing activity,Purpose,Personal data,Recipients\nNews,Newsletter,Name,{recipients}\n"
        );
        table(&text)
    };
    for nobody in ["N/A", "none", "-", "keine", "aucun"] {
        let made = row(nobody);
        assert_eq!((made.loss.made.flows, made.loss.open), (0, 1), "{nobody}: {:#?}", made.loss.entries);
    }
    for unknown in ["not known", "TBC", "?", "unbekannt", ""] {
        let made = row(unknown);
        assert!(made.inventory.contains("unknown-recipients-of-news") && made.loss.open == 1, "{unknown}");
    }
    let made = row("Mailer");
    assert_eq!((made.loss.made.flows, made.loss.open), (1, 0), "{:#?}", made.loss.entries);
}

#[test]
fn german_and_french_registers_are_read() {
    let german = "\
Bezeichnung der Verarbeitung;Zweck der Verarbeitung;Betroffene Personen;Kategorien personenbezogener Daten;Empfänger;Auftragsverarbeiter;Drittlandtransfer;Löschfrist;TOM;Rechtsgrundlage
Newsletterversand;Newsletterversand;Kunden;Kontaktdaten;keine;Postbote GmbH;nein;24 Monate;Transportverschlüsselung;Einwilligung
";
    let windows: Vec<u8> = german.chars().map(|c| u8::try_from(u32::from(c)).unwrap()).collect();
    for bytes in [german.as_bytes(), &windows] {
        let made = imported(Format::Table, &[("vvt.csv", bytes)]).unwrap();
        assert_eq!(made.loss.open, 0, "{:#?}", made.loss.entries);
        for part in [
            "kind: processing",
            "- contact\n",
            "- marketing.direct\n",
            "retention: 24m",
            "- gdpr:consent\n",
            "- encryption_in_transit\n",
            "id: postbote-gmbh",
        ] {
            assert!(made.inventory.contains(part), "{part}: {}", made.inventory);
        }
    }
    let french = "\
Nom du traitement,Finalité principale,Catégories de personnes concernées,Catégories de données personnelles concernées,Destinataires externes,Services internes,Sous-traitants,Transferts hors UE,Durée de conservation,Base légale
Paie,Gestion du personnel,Salariés,Coordonnées bancaires; Nom,Banque Centrale,Direction,Paie SARL,États-Unis,5 ans,Obligation légale
";
    let made = imported(Format::Table, &[("registre.csv", french.as_bytes())]).unwrap();
    assert_eq!(made.loss.open, 0, "{:#?}", made.loss.entries);
    for part in [
        "kind: processing",
        "id: paie-sarl",
        "id: banque-centrale",
        "- financial.account\n",
        "retention: 5y",
        "- gdpr:legal_obligation\n",
        "- US\n",
    ] {
        assert!(made.inventory.contains(part), "{part}: {}", made.inventory);
    }
}

#[test]
fn sub_processors_are_processors_of_all_services() {
    let text = "Subprocessor,Purpose,Data types,Location,Contract/DPA\nMailBlaster Inc.,Newsletter,E-mail address,United States,https://dpa.example/mb\nHostCo GmbH,Hosting,All customer data,Deutschland,\n";
    let made = table(text);
    assert_eq!(
        (made.loss.made.agreements, made.loss.made.flows, made.loss.open),
        (2, 2, 0),
        "{:#?}",
        made.loss.entries
    );
    for part in [
        "kind: processing",
        "provider: self",
        "- US\n",
        "- DE\n",
        "data: held",
        "evidence: https://dpa.example/mb",
    ] {
        assert!(made.inventory.contains(part), "{part}: {}", made.inventory);
    }
}

#[test]
fn a_table_without_known_headings_says_what_to_do() {
    let mistakes = imported(Format::Table, &[("x.csv", b"Vendor,Stuff\na,b\n")]).err().unwrap();
    assert_eq!(mistakes[0].code, "unknown-layout");
    assert!(
        mistakes[0].message.contains("Vendor, Stuff")
            && mistakes[0].help.as_ref().unwrap().contains("columns:")
    );
    let twice = imported(Format::Table, &[("x.csv", b"to party,data,data elements\na,b,c\n")]).err().unwrap();
    assert_eq!(twice[0].code, "duplicate-heading");
    let old = imported(Format::Table, &[("x.xls", &[0xD0, 0xCF, 0x11, 0xE0, 0, 0])]).err().unwrap();
    assert!(old[0].message.contains("save it as XLSX"));
}

#[test]
fn own_columns_go_by_the_mapping() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("x.csv"), "Vendor,Stuff,Why\nMailer,name,Newsletter\n").unwrap();
    let mapping = Mapping {
        columns: [("to_party", "Vendor"), ("data", "Stuff"), ("purpose", "Why")]
            .map(|(field, head)| (field.to_owned(), head.to_owned()))
            .into(),
        ..Mapping::default()
    };
    let made = from(Format::Table, &[folder.path().to_owned()], &mapping).unwrap();
    assert_eq!((made.loss.made.flows, made.loss.open), (1, 0), "{:#?}", made.loss.entries);
}

#[test]
fn the_provider_of_an_agreement_of_processing_does_not_depend_on_names() {
    let list = |vendor: &str, back: &str| {
        table(&format!(
            "From party,From system,To party,To system,Data,Purpose,Agreement,Agreement kind\nOur Bank,Core,{vendor},Warehouse,Email,Hosting,C-5,processing\n{back}"
        ))
    };
    for vendor in ["Aaa Cloud", "Zzz Cloud"] {
        let made = list(vendor, "");
        assert!(made.inventory.contains("provider:\n  - our-bank\n"), "{}", made.inventory);
        let proposed =
            made.loss.entries.iter().filter(|entry| format!("{:?}", entry.code) == "Proposed").count();
        assert!(proposed == 1 && made.loss.open == 1, "{:#?}", made.loss.entries);
        // Both send and receive: nobody knows whose processor the other is.
        let made = list(vendor, &format!("{vendor},Warehouse,Our Bank,Core,Email,Hosting,C-5,processing\n"));
        assert!(made.inventory.contains("kind: sharing"), "{}", made.inventory);
        assert!(!made.inventory.contains("provider:"), "{}", made.inventory);
    }
}
